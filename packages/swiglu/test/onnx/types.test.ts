// Element types around and inside a graph: float32 inputs and outputs of 16-bit graphs, and float64, which is always exact.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as native from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { type Activation, activations, evaluate } from "../../src/index.js";
import {
  activationGraph,
  type FloatType,
  gatedFfnGraph,
  numbersIn,
  toFile,
  toModel,
  typedArray,
} from "../../src/onnx-entry.js";
import { expectArrayClose } from "../conformance/expect.js";
import { plainFloats } from "../conformance/samples.js";
import { find, unless } from "../runtimes/found.js";
import { checkModel } from "./checker.js";
import { runtimes } from "./runtime.js";

const block = gatedFfnGraph({
  activation: "swiglu",
  dModel: 3,
  dFf: 4,
  weights: { gate: plainFloats(12, 1), up: { input: [3, 4] }, down: plainFloats(12, 2) },
  parameters: { beta: { input: [4] } },
});
const fed = {
  x: { data: plainFloats(15, 3, 2), shape: [5, 3] },
  up: { data: plainFloats(12, 4), shape: [3, 4] },
  beta: { data: plainFloats(4, 5), shape: [4] },
};

describe("float32 around a float16 graph", () => {
  test.each(Object.entries(runtimes))(
    "%s: what the graph gives that is fed float16, within 2^-8 of the largest",
    async (_, load) => {
      for (const options of [
        { math: "exact" },
        { math: "fast" },
        { math: "exact", asFunction: true },
      ] as const) {
        const half = await (await load(toFile(block, { ...options, dtype: "float16" }), "float16"))(fed);
        const float = await (await load(toFile(block, { ...options, dtype: "float16", io: "float32" })))(fed);
        // Not the same bits: on the CPU the runtime computes in float32 and leaves out conversions there and back.
        expectArrayClose(float.y!, half.y!, 2 ** -8, JSON.stringify(options));
      }
    },
  );

  test("inputs and output are float32, weights and arithmetic stay float16", () => {
    const model = toModel(block, { dtype: "float16", io: "float32", math: "fast" });
    expect([...model.inputs, ...model.outputs].map(({ name, dtype }) => `${name} ${dtype}`)).toEqual([
      "x float32",
      "up float32",
      "beta float32",
      "y float32",
    ]);
    expect(new Set(model.initializers.map(({ dtype }) => dtype))).toEqual(new Set(["float16"]));
    expect(model.nodes.filter(({ opType }) => opType === "Cast").length).toBe(4);
    for (const dtype of ["float16", "bfloat16"] as const)
      for (const asFunction of [false, true])
        checkModel(toModel(block, { dtype, io: "float32", asFunction, opset: 22 }));
  });

  const node24 = find("node24");
  test.runIf(node24)(`Node 24 feeds it, as it cannot feed float16${unless("node24")}`, () => {
    const program = fileURLToPath(new URL("node24-float16.mjs", import.meta.url));
    const [float16, float32] = execFileSync(node24 as string, [program], { encoding: "utf8" })
      .trim()
      .split("\n");
    // Should this fail one day, the option and what the documents say of it can go.
    expect(float16).toMatch(/^refused/);
    expect(float32).toBe("0.731");
  });

  test("another type is refused", () => {
    expect(() => toModel(block, { dtype: "float16", io: "float64" })).toThrow(
      /^io is float64, expected float32 or the graph's own type, float16/,
    );
    expect(() => toModel(block, { io: "half" as FloatType })).toThrow(/^io is half, expected float32/);
  });
});

test("float32 around a bfloat16 activation runs in onnxruntime-node, which nothing else lets JavaScript try", async () => {
  const file = toFile(activationGraph("swiglu"), { dtype: "bfloat16", math: "exact", io: "float32" });
  const [gate, up] = [plainFloats(64, 1, 4), plainFloats(64, 2, 4)];
  const { y } = await (await runtimes["onnxruntime-node"](file))({
    gate: { data: gate, shape: [64] },
    up: { data: up, shape: [64] },
  });
  const rounded = (x: Float32Array) => numbersIn("bfloat16", typedArray("bfloat16", x));
  const [roundGate, roundUp] = [rounded(gate), rounded(up)];
  y!.forEach((value, i) => {
    const exact = evaluate(activations.swiglu, { gate: roundGate[i] as number, up: roundUp[i] as number });
    expect(Math.abs(value - exact)).toBeLessThanOrEqual(2 ** -8 * Math.abs(exact));
  });
});

describe("float64 is exact, whatever math says", () => {
  test.each(Object.values(activations) as Activation[])("$name", async (activation) => {
    const graph = activationGraph(activation);
    for (const opset of [13, 18, 21, 24, 28]) {
      const file = toFile(graph, { opset, dtype: "float64", math: "fast" });
      expect(Buffer.from(file).equals(toFile(graph, { opset, dtype: "float64", math: "exact" }))).toBe(true);
      if (opset !== 21) continue;
      // The runtime has no Atan in float64.
      const loading = native.InferenceSession.create(file, { logSeverityLevel: 4 });
      if (activation.name === "xatlu") {
        await expect(loading).rejects.toThrow(/Atan/);
        continue;
      }
      const session = await loading;
      const points = Float64Array.from({ length: 61 }, (_, i) => (i - 30) / 2.9);
      const inputs = activation.inputs.map((_, k) => points.map((x) => (k === 0 ? x : 1 - x / 3)));
      const feeds = activation.inputs.map((name, k) => [
        name,
        new native.Tensor("float64", inputs[k]!, [61]),
      ]);
      const { y } = await session.run(Object.fromEntries(feeds));
      points.forEach((_, i) => {
        const at = Object.fromEntries(activation.inputs.map((name, k) => [name, inputs[k]![i] as number]));
        const expected = evaluate(activation, at as never);
        expect(Math.abs((y!.data[i] as number) - expected)).toBeLessThanOrEqual(
          1e-13 * Math.max(1, Math.abs(expected)),
        );
      });
    }
  });
});
