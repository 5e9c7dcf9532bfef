// The bytes of ONNX files: every activation and every form of block, in every element type, opset, layout and face.
import { test } from "vitest";
import { activations } from "../../src/index.js";
import { activationGraph, ffnGraph, gatedFfnGraph, toFile, type WriteOptions } from "../../src/onnx-entry.js";
import { Fingerprints } from "./fingerprints.js";

const dtypes = ["float32", "float16", "bfloat16", "float64"] as const;
const some = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i + 1)));

test("files", async () => {
  const found = new Fingerprints();
  const write = (make: () => Uint8Array): void => {
    try {
      found.add(make());
    } catch (error) {
      found.add(String(error));
    }
  };
  for (const activation of Object.values(activations))
    for (const dtype of dtypes)
      for (const opset of [13, 18, 20, 21, 24, 28])
        for (const math of ["fast", "exact"] as const)
          for (const asFunction of [false, true]) {
            const options = { dtype, opset, math, asFunction } as WriteOptions;
            write(() => toFile(activationGraph(activation), options));
            if (opset !== 21) continue;
            if (activation.kind === "gated")
              for (const layout of ["gate-first", "gate-second", "interleaved"] as const)
                write(() =>
                  toFile(activationGraph(activation, { layout, shape: ["n", 12] } as never), options),
                );
            const [dModel, dFf] = [3, 5];
            const biases = { downBias: some(3) };
            if (activation.kind === "unary")
              write(() =>
                toFile(
                  ffnGraph({
                    activation,
                    dModel,
                    dFf,
                    weights: { up: some(15), down: some(15), upBias: some(5), ...biases },
                  } as never),
                  options,
                ),
              );
            const self = "self" in activation && activation.self !== undefined;
            const forms = self
              ? [
                  {
                    in: some(15),
                    square: some(25),
                    down: some(15),
                    inBias: some(5),
                    squareBias: some(5),
                    ...biases,
                  },
                ]
              : [{ gate: some(15), up: some(15), down: some(15), gateBias: some(5), ...biases }];
            for (const weights of forms)
              write(() => toFile(gatedFfnGraph({ activation, dModel, dFf, weights } as never), options));
            if (!self)
              for (const layout of ["gate-first", "interleaved"] as const)
                write(() =>
                  toFile(
                    gatedFfnGraph({
                      activation,
                      dModel,
                      dFf,
                      layout,
                      weights: { packed: some(30), down: some(15) },
                    } as never),
                    options,
                  ),
                );
          }
  await found.check("files");
});
