// Measurements against hand-made losses and layers whose figures are known, and against a model whose gates are set by hand.
import { ParameterLayout } from "onnx-grad";
import { activationByName } from "swiglu";
import { describe, expect, test } from "vitest";
import { parameterSpecs, Trainer, type Variant } from "../../src/model/index.js";
import { Inspector, type Layer } from "../../src/probe/inspector.js";
import { DISTANCES, gatesOf, measure } from "../../src/probe/measure.js";

const shape = { imageSize: 8, patch: 4, classes: 3, width: 8, depth: 2, heads: 2, hidden: 5 };
const options = { batch: 6, weightDecay: 0.05, clipNorm: 1, threads: 1 };
const sequences = { vocabulary: 7, context: 3, width: 8, depth: 1, heads: 2, hidden: 4 };

const variantOf = (name: string): Variant => ({
  name,
  activation: activationByName(name.replace("-trained", "")),
  trained: name.endsWith("-trained"),
});

const images = {
  inputs: Float32Array.from({ length: 6 * 64 }, (_, i) => 0.5 + 0.5 * Math.sin(1.3 * i)),
  labels: Int32Array.of(0, 1, 2, 0, 1, 2),
};

const layer = (factor: readonly number[], slope: readonly number[] = factor): Layer => ({
  gate: Float32Array.from(factor),
  slope: Float32Array.from(slope),
  factor: Float32Array.from(factor),
  units: 2,
});

describe("gates", () => {
  test("closed where the factor is within 1 % of its root mean square; dead where that is so for every token", () => {
    // Root mean square of the factors: sqrt(80000 / 8) = 100, so that 1 is closed and 1.01 is not.
    const odd = Math.sqrt(80_000 - 200 ** 2 - 1.01 ** 2);
    const gates = gatesOf(layer([1, 200, -0.5, -1.01, 0, 0, 0, odd]), [0, 1, 2, 3]);
    expect(gates.closed).toBe(5 / 8);
    expect(gates.dead).toBe(1 / 2);
  });

  test("flat and falling count slopes; the quantiles are of the gate; rows that are left out count nowhere", () => {
    const gate = Float32Array.from({ length: 202 }, (_, i) => i);
    const slope = gate.map((i) => (i < 50 ? -0.001 : i < 100 ? -2 : 0.5));
    const gates = gatesOf(
      { gate, slope, factor: gate, units: 2 },
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect(gates.flat).toBe(0.25);
    expect(gates.falling).toBe(0.5);
    expect(gates.quantiles).toEqual([10, 50, 100, 149, 189]);
  });

  test("the top tenth of the factors: by their squares, whatever their sign", () => {
    const factors = Array.from({ length: 20 }, (_, i) => (i === 3 ? -3 : i === 8 ? 2 : 1));
    const rows = Array.from({ length: 10 }, (_, i) => i);
    expect(gatesOf(layer(factors), rows).topTenth).toBeCloseTo(13 / 31, 6);
    expect(gatesOf(layer(factors.map(() => -2)), rows).topTenth).toBeCloseTo(0.1, 6);
  });

  test("where all factors are 0, all gates are closed", () => {
    expect(gatesOf(layer([0, 0, 0, 0]), [0, 1])).toMatchObject({ closed: 1, dead: 1, topTenth: 0 });
  });
});

describe("the loss along its gradient", () => {
  /** A loss without a model: only its gradient at some parameters. */
  const toy = (gradientAt: (at: Float32Array) => number[]) => ({
    shape: { ...sequences, context: 2, depth: 1 },
    lossAt: async (at: Float32Array) => ({ loss: 7, gradient: Float32Array.from(gradientAt(at)) }),
    layersAt: async () => [layer([9, 9, 0, 0, 9, 0, 9, 9])],
  });
  const batch = { inputs: new Int32Array(4), labels: Int32Array.of(1, 1, -1, 1) };

  test("a quadratic bowl has its second derivatives at every distance", async () => {
    const { along, gradientNorm, loss } = await measure(
      toy(([x, y]) => [3 * x!, 5 * y!]),
      Float32Array.of(4 / 3, 3 / 5),
      batch,
    );
    expect([loss, gradientNorm]).toEqual([7, expect.closeTo(5, 6)]);
    expect(along.map(({ distance }) => distance)).toEqual(DISTANCES);
    for (const { change, curvature, distance } of along) {
      const digits = distance < 1e-3 ? 1 : 2; // float32 parameters
      expect(change).toBeCloseTo(Math.hypot(3 * 0.8, 5 * 0.6), digits); // |A u| of u = (0.8, 0.6)
      expect(curvature).toBeCloseTo(3 * 0.8 ** 2 + 5 * 0.6 ** 2, digits); // u A u
    }
  });

  test("at a kink the change grows as the distance shrinks: that is what roughness looks for", async () => {
    const { along } = await measure(
      toy(([x]) => [x! >= 1 ? 2 : 1]),
      Float32Array.of(1),
      batch,
    );
    for (const { change, curvature, distance } of along) {
      expect(change * distance).toBeCloseTo(1, 6);
      expect(curvature * distance).toBeCloseTo(0.5, 6);
    }
  });

  test("of sequences only tokens with a label count: rows are token by token, labels example by example", async () => {
    const { gates } = await measure(
      toy(() => [1]),
      Float32Array.of(0),
      batch,
    );
    // Labels [1, 1] and [-1, 1]: left out is the first token of the second example, row 1, whose gates are both closed.
    expect(gates).toEqual([expect.objectContaining({ closed: 1 / 6, dead: 0 })]);
  });
});

describe("the inspector", () => {
  test.each(["relu", "swiglu", "swigluBlend-trained"])(
    "%s: the loss is the trainer's, and its gradient as long as that of a training step",
    async (name) => {
      const trainer = await Trainer.create(variantOf(name), shape, options);
      trainer.initialise(3);
      const inspector = await Inspector.create(variantOf(name), shape, 6, 1);
      const { loss, gradient } = await inspector.lossAt(trainer.state.parameters, images);
      const evaluated = await trainer.evaluate(images.inputs, images.labels);
      expect(loss).toBeCloseTo(evaluated.loss, 5);
      const step = await trainer.step(images.inputs, images.labels, 1e-3);
      expect(Math.hypot(...gradient) / step.gradNorm).toBeCloseTo(1, 5);
      await inspector.dispose();
      await trainer.dispose();
    },
  );

  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  const silu = (x: number): number => x * sigmoid(x);
  const siluSlope = (x: number): number => sigmoid(x) * (1 + x * (1 - sigmoid(x)));
  const biases = [-6, -1.5, 0, 0.25, 3];
  const beta = 0.5;
  test.each<[string, string, (x: number) => number, (x: number) => number]>([
    ["relu", "up", (x) => Math.max(0, x), (x) => Number(x > 0)],
    ["swish", "up", silu, siluSlope],
    ["glu", "gate", sigmoid, (x) => sigmoid(x) * (1 - sigmoid(x))],
    ["swiglu", "gate", silu, siluSlope],
    ["selfGlu", "square", sigmoid, (x) => sigmoid(x) * (1 - sigmoid(x))],
    [
      "swigluBlend-trained",
      "in",
      (x) => 1 - sigmoid(beta * x),
      (x) => sigmoid(beta * x) + (x - 1) * beta * sigmoid(beta * x) * (1 - sigmoid(beta * x)),
    ],
    ["bilinear", "gate", (x) => x, () => 1],
  ])(
    "%s: with weights 0, the gate is its bias, and factor and slope are the formula's",
    async (name, projection, factor, slope) => {
      const variant = variantOf(name);
      const trainer = await Trainer.create(variant, shape, options);
      trainer.initialise(3);
      const { parameters } = trainer.state;
      const inspector = await Inspector.create(variant, shape, 6, 1);
      const layout = new ParameterLayout(parameterSpecs(variant, shape));
      const parameter = (of: string): Float32Array => layout.view(parameters, `block1.ffn.${of}`);
      parameter(`${projection}.weight`).fill(0);
      parameter(`${projection}.bias`).set(biases);
      if (variant.trained) parameter("beta").fill(beta);
      const layers = await inspector.layersAt(parameters, images);
      expect(layers).toHaveLength(2);
      const rows = 6 * 4;
      const { gate, factor: factors, slope: slopes, units } = layers[1]!;
      expect([units, gate.length]).toEqual([5, rows * 5]);
      for (let i = 0; i < gate.length; i++) {
        const x = biases[i % 5]!;
        expect(gate[i]).toBeCloseTo(x, 6);
        expect(factors[i]).toBeCloseTo(factor(x), 6);
        expect(slopes[i]).toBeCloseTo(slope(x), 6);
      }
      expect(layers[0]!.gate.some((x) => Math.abs(x - biases[0]!) > 0.1)).toBe(true);
      await inspector.dispose();
      await trainer.dispose();
    },
  );

  test("sequences have a row for each token", async () => {
    const inspector = await Inspector.create(variantOf("geglu"), sequences, 2, 1);
    const trainer = await Trainer.create(variantOf("geglu"), sequences, { ...options, batch: 2 });
    trainer.initialise(1);
    const tokens = { inputs: Int32Array.of(1, 2, 3, 1, 5, 6), labels: Int32Array.of(2, 3, 4, 5, 6, -1) };
    const { loss } = await inspector.lossAt(trainer.state.parameters, tokens);
    expect(loss).toBeCloseTo((await trainer.evaluate(tokens.inputs, tokens.labels)).loss, 5);
    const [only] = await inspector.layersAt(trainer.state.parameters, tokens);
    expect(only!.gate).toHaveLength(6 * 4);
    // Both examples begin with the same token, so that their first rows are alike; all others differ.
    const row = (i: number): number[] => Array.from(only!.gate.subarray(4 * i, 4 * i + 4));
    expect(row(0)).toEqual(row(1));
    expect(row(2)).not.toEqual(row(3));
    await inspector.dispose();
    await trainer.dispose();
  });
});
