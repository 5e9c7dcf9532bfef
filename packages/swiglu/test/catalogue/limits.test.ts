// Limits of Infinity: which parameters are limits, what is refused, and that files and layers keep them.
import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { limitsOf } from "../../src/catalogue/limits.js";
import {
  type Activation,
  activations,
  defineActivation,
  expressions as e,
  evaluate,
  gradient,
  reference,
  simplify,
  situGlu,
  swigluClamped,
  swigluOai,
  swish,
  text,
} from "../../src/index.js";
import { activationGraph, decodeModel, toFile } from "../../src/onnx-entry.js";
import { GatedDense } from "../../src/tfjs/index.js";

test("the catalogue's limits are found by their form", () => {
  const found = Object.values<Activation>(activations).flatMap((activation) =>
    [...limitsOf(activation)].map((name) => `${activation.name}.${name}`),
  );
  expect(found).toEqual([
    "swigluOai.limit",
    "swigluClamped.limit",
    "swigluStep.limit",
    "situGlu.gateLimit",
    "situGlu.upLimit",
  ]);
});

test.each([
  [e.min("x", "a"), true],
  [e.max(e.neg("a"), e.min("a", "x")), true],
  [e.max("x", e.mul(-1, "a")), true],
  [e.clamp("x", e.neg("a"), "a"), true],
  [e.softClamp("x", "a"), true],
  [e.max("x", "a"), false],
  [e.clamp("x", "a", 3), false],
  [e.min("x", e.neg("a")), false],
  [e.min("x", e.add("a", 1)), false],
  [e.add(e.min("x", "a"), "a"), false],
  [e.softClamp("a", e.abs("x")), false],
  [e.exp(e.neg(e.mul("x", "a"))), false],
])("%# a is a limit there: %s", (expression, isLimit) => {
  const activation = defineActivation({ name: "own", kind: "unary", parameters: { a: 1 }, expression });
  expect(limitsOf(activation).has("a")).toBe(isLimit);
  if (isLimit) expect(evaluate(activation, { x: 5 }, { a: Infinity })).toBe(5);
  else expect(() => evaluate(activation, { x: 5 }, { a: Infinity })).toThrow("expected a finite number");
});

test("without a limit the formula is swish's, at infinite inputs too; the limit's gradient is 0", () => {
  const limit = Infinity;
  for (const gate of [-30, -1, 0.5, 9, 200, 1e30, Infinity])
    for (const up of [-1e30, -20, 0.25, 33, -Infinity]) {
      const swished = evaluate(swish, { x: gate }, { beta: 1.702 });
      expect(evaluate(swigluOai, { gate, up }, { limit })).toBe(swished * (up + 1));
      expect(evaluate(swigluClamped, { gate, up }, { limit })).toBe(evaluate(swish, { x: gate }) * up);
    }
  const limits = { gateLimit: Infinity, upLimit: Infinity };
  const gated = 3 / (1 + Math.exp(-3));
  expect(evaluate(situGlu, { gate: 3, up: -1e30 }, limits) / (gated * -1e30)).toBeCloseTo(1, 14);
  const slopes = gradient(situGlu, { gate: 3, up: 2 }, limits);
  expect([slopes.gateLimit + 0, slopes.upLimit + 0]).toEqual([0, 0]);
  expect(slopes.up).toBeCloseTo(gated, 14);
});

test("only +Infinity, and only for limits", async () => {
  const point = { gate: 1, up: 2 };
  expect(() => evaluate(swigluOai, point, { limit: -Infinity })).toThrow(
    "parameter limit is -Infinity, expected a finite number (Infinity for no limit)",
  );
  expect(() => evaluate(swigluOai, point, { alpha: Infinity })).toThrow(
    "parameter alpha is Infinity, expected a finite number",
  );
  const backend = await reference();
  const x = Float32Array.of(1, 2);
  for (const [parameters, message] of [
    [
      { limit: Float32Array.of(1, -Infinity) },
      "parameter limit contains -Infinity, expected finite numbers, or Infinity",
    ],
    [{ limit: Number.NaN }, "parameter limit is NaN, expected finite numbers, or Infinity for no limit"],
    [{ alpha: Infinity }, "parameter alpha is Infinity, expected finite numbers (a number,"],
  ] as const)
    await expect((async () => backend.activate(swigluOai, { gate: x, up: x }, parameters))()).rejects.toThrow(
      message,
    );
});

test("an ONNX file without a limit has no clamp, in every element type; per channel it has", () => {
  for (const dtype of ["float32", "float16", "bfloat16", "float64"] as const) {
    const options = { dtype, opset: 24 };
    const file = toFile(activationGraph("swigluClamped", { parameters: { limit: Infinity } }), options);
    const { nodes, initializers } = decodeModel(file);
    expect(nodes.map(({ opType }) => opType)).not.toContain("Max");
    for (const { data } of initializers) expect(Array.from(data, Number).every(Number.isFinite)).toBe(true);
    const channels = { parameters: { limit: Float32Array.of(Infinity, 3) }, shape: ["rows", 2] };
    const clamped = decodeModel(toFile(activationGraph("swigluClamped", channels), options));
    expect(clamped.nodes.map(({ opType }) => opType)).toContain("Min");
    expect(clamped.initializers.find(({ name }) => name === "limit")?.data).toHaveLength(2);
  }
});

test("a layer keeps it in its configuration, which is JSON", () => {
  const layer = new GatedDense({
    units: 2,
    activation: swigluClamped,
    parameters: { limit: Infinity },
    inputShape: [2],
  });
  const config = JSON.parse(JSON.stringify(layer.getConfig())) as tf.serialization.ConfigDict;
  const again = new GatedDense(config as unknown as ConstructorParameters<typeof GatedDense>[0]);
  expect(JSON.stringify(again.getConfig())).toBe(JSON.stringify(layer.getConfig()));
  const x = tf.tensor2d([[100, 300]]);
  for (const each of [layer, again]) {
    each.apply(x);
    each.setWeights(each.getWeights().map((weight) => tf.onesLike(weight)));
    expect((each.apply(x) as tf.Tensor).dataSync()[0]).toBe(401 * 401); // biases are 1 too
  }
});

test("formulas with an infinite bound simplify to those without it", () => {
  const simple = (expr: e.Expr): string => text(simplify(expr));
  expect(simple(e.clamp("x", e.neg(Infinity), Infinity))).toBe("x");
  expect(simple(e.clamp("x", e.neg(Infinity), 3))).toBe("min(x, 3)");
  expect(simple(e.clamp("x", -3, Infinity))).toBe("max(x, -3)");
  expect(simple(e.min(Infinity, "x"))).toBe("x");
  expect(simple(e.max("x", -Infinity))).toBe("x");
  expect(simple(e.softClamp("x", Infinity))).toBe("x");
  expect(simple(e.max("x", Infinity))).toBe("max(x, Infinity)");
});
