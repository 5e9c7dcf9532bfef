// The layers' values against the reference backend and the plain formulas; masks, training, and that nothing leaks.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { activations, evaluate, reference, unpack } from "../../src/index.js";
import { GatedDense, GatedFfn, Glu, SelfGated, Swish } from "../../src/tfjs/index.js";
import { expectArrayClose } from "../conformance/expect.js";
import { plainFloats } from "../conformance/samples.js";
import { backends, useBackend } from "./backends.js";

describe.each(backends)("layers on the %s backend", (backend) => {
  beforeAll(() => useBackend(backend));

  test("Swish and Glu compute what the reference does", async () => {
    const core = await reference();
    const x = plainFloats(24, 4, 5);
    const beta = Float32Array.of(1, -2, 0.5);
    const swish = new Swish({ beta: [...beta] }).apply(tf.tensor(x, [8, 3])) as tf.Tensor;
    const exact = await core.activate(activations.swish, { x }, { beta });
    expectArrayClose(swish.dataSync(), exact, 1e-6, "swish");
    for (const layout of ["gate-first", "gate-second", "interleaved"] as const)
      for (const axis of [1, 2, -1, -2]) {
        const glu = new Glu({ activation: "swigluBlend", layout, axis, parameters: { beta: 1.5 } });
        const y = glu.apply(tf.tensor(x, [3, 4, 2])) as tf.Tensor;
        const halves = unpack(x, [3, 4, 2], { layout, axis });
        const wanted = await core.activate(activations.swigluBlend, halves, { beta: 1.5 });
        expectArrayClose(y.dataSync(), wanted, 1e-6, `${layout} ${axis}`);
      }
  });

  test("the projecting layers compute what the reference does, biases included", async () => {
    const core = await reference();
    const x = plainFloats(3 * 4 * 5, 6);
    const input = tf.tensor(x, [3, 4, 5]);
    const args = { biasInitializer: "randomNormal", useBias: true } as const;
    const ffn = new GatedFfn({ dFf: 7, activation: "geglu", ...args });
    const y = ffn.apply(input) as tf.Tensor;
    const weight = (layer: tf.layers.Layer, name: string): Float32Array => {
      const at = layer.weights.findIndex((variable) => variable.originalName.endsWith(name));
      return (layer.getWeights()[at] as tf.Tensor).dataSync<"float32">();
    };
    const weights = {
      gate: weight(ffn, "gateKernel"),
      up: weight(ffn, "upKernel"),
      down: weight(ffn, "downKernel"),
      gateBias: weight(ffn, "gateBias"),
      upBias: weight(ffn, "upBias"),
      downBias: weight(ffn, "downBias"),
    };
    const block = await core.gatedFfn({ activation: activations.geglu, dModel: 5, dFf: 7, weights });
    expectArrayClose(y.dataSync(), await block.forward(x, 12), 1e-5, "GatedFfn");
    expect(y.shape).toEqual([3, 4, 5]);

    const affine = (kernel: Float32Array, bias: Float32Array, row: number, column: number): number => {
      let sum = bias[column] as number;
      for (let k = 0; k < 5; k++)
        sum += (x[5 * row + k] as number) * (kernel[k * bias.length + column] as number);
      return sum;
    };
    const dense = new GatedDense({ units: 7, activation: "swiglu", parameters: { beta: 0.5 }, ...args });
    const hidden = (dense.apply(input) as tf.Tensor).dataSync();
    const of = (name: string) => weight(dense, name);
    const [gate, up] = [[of("gateKernel"), of("gateBias")] as const, [of("upKernel"), of("upBias")] as const];
    const wanted = Float64Array.from({ length: 84 }, (_, i) => {
      const at = [Math.floor(i / 7), i % 7] as const;
      return evaluate(
        activations.swiglu,
        { gate: affine(...gate, ...at), up: affine(...up, ...at) },
        { beta: 0.5 },
      );
    });
    expectArrayClose(hidden, wanted, 1e-5, "GatedDense");

    const formulas: Readonly<Record<string, (x: number, p: number, s: (z: number) => number) => number>> = {
      swigluBlend: (x, p, s) => x * s(1.5 * x) + (1 - s(1.5 * x)) * p,
      selfGlu: (x, p, s) => x * s(p),
    };
    for (const [name, formula] of Object.entries(formulas)) {
      const parameters = name === "selfGlu" ? {} : { beta: { value: 1.5, trainable: true } };
      const layer = new SelfGated({ activation: name, parameters, ...args });
      const got = (layer.apply(input) as tf.Tensor).dataSync();
      const [kernel, bias] = [weight(layer, "kernel"), weight(layer, "bias")];
      const exact = Float64Array.from(x, (v, i) =>
        formula(v, affine(kernel, bias, Math.floor(i / 5), i % 5), (z) => 1 / (1 + Math.exp(-z))),
      );
      expectArrayClose(got, exact, 1e-5, name);
    }
  });

  test("masks pass through", () => {
    const ids = tf.tensor2d([
      [1, 2, 0],
      [3, 0, 0],
    ]);
    const model = tf.sequential({
      layers: [
        tf.layers.embedding({ inputDim: 5, outputDim: 4, maskZero: true, inputLength: 3 }),
        new GatedFfn({ dFf: 6 }),
        new Glu({ activation: "glu", layout: "gate-first" }),
        new Swish(),
        new GatedDense({ units: 2 }),
        new SelfGated(),
        tf.layers.lstm({ units: 2 }),
      ],
    });
    const y = model.predict(ids) as tf.Tensor;
    const shorter = model.predict(
      tf.tensor2d([
        [1, 2, 0],
        [3, 0, 0],
      ]),
    ) as tf.Tensor;
    expect(y.dataSync()).toEqual(shorter.dataSync());
    const layer = new Swish();
    const mask = tf.tensor2d([[1, 0]], [1, 2], "bool");
    expect(layer.computeMask(tf.ones([1, 2, 4]), mask)).toBe(mask);
    const across = new Glu({ activation: "glu", layout: "gate-first", axis: 1 });
    expect(() => across.computeMask(tf.ones([1, 2, 4]), mask)).toThrow("the mask covers axis 1");
  });

  test("training leaves as many tensors as there were", async () => {
    const model = tf.sequential({
      layers: [
        new GatedDense({ units: 6, inputShape: [4, 5], parameters: { beta: { trainable: "per-channel" } } }),
        new Glu({
          activation: "swigluOai",
          layout: "interleaved",
          parameters: { limit: { trainable: true } },
        }),
        new SelfGated({ parameters: { beta: { trainable: true } } }),
        new GatedFfn({ dFf: 5, activation: "gelu", useBias: true, kernelRegularizer: "l1l2" }),
        new Swish({ beta: { trainable: true } }),
      ],
    });
    model.compile({ optimizer: "adam", loss: "meanSquaredError" });
    const [x, y] = [tf.tensor(plainFloats(160, 1), [8, 4, 5]), tf.zeros([8, 4, 3])];
    const step = async () => {
      const loss = await model.trainOnBatch(x, y);
      expect(Number.isFinite(loss)).toBe(true);
      tf.dispose(model.predict(x));
    };
    for (let i = 0; i < 3; i++) await step();
    const before = tf.memory();
    for (let i = 0; i < 20; i++) await step();
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numBytes).toBe(before.numBytes);
  });

  test("every trainable parameter moves, every fixed one stays", async () => {
    const parameters = {
      alphaP: { trainable: true },
      alphaN: [0.7, 0.8, 0.9],
      beta: { trainable: "per-channel" },
    } as const;
    const layer = new GatedDense({ units: 3, activation: "xielu", parameters, inputShape: [4] });
    const model = tf.sequential({ layers: [layer] });
    model.compile({ optimizer: tf.train.sgd(0.5), loss: "meanSquaredError" });
    const values = () => layer.getWeights().map((tensor) => [...tensor.dataSync()]);
    const [before, order] = [
      values(),
      layer.weights.map(({ originalName }) => originalName.split("/").at(-1)),
    ];
    await model.trainOnBatch(tf.tensor(plainFloats(20, 3), [5, 4]), tf.zeros([5, 3]));
    const after = values();
    order.forEach((name, i) => {
      if (name === "alphaN") expect(after[i]).toEqual([0.7, 0.8, 0.9].map(Math.fround));
      else expect(after[i], name).not.toEqual(before[i]);
    });
    expect(new Set(order)).toEqual(
      new Set(["gateKernel", "gateBias", "upKernel", "upBias", "alphaP", "alphaN", "beta"]),
    );
  });
});
