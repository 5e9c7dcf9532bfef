// A training run cannot be ruined silently: settings are checked when they are given, a step that would leave anything not
// finite changes nothing, calls that overlap queue in order, and a failed one does not stop the next.
import {
  compile,
  input,
  mean,
  mul,
  sub,
  sum,
  type Tensor,
  Training,
  type TrainingDefinition,
} from "onnx-grad";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";

/** loss = sum(factor * (w - 1)^2) */
const definition: TrainingDefinition = {
  parameters: [{ name: "w", shape: [3], decay: true }],
  loss: ({ w }) => sum(mul(mul(sub(w!, 1), sub(w!, 1)), input("factor", []))),
  weightDecay: 0.1,
  clipNorm: 1,
};
const create = (options: Partial<TrainingDefinition> = {}) =>
  Training.create(ort, { ...definition, ...options });
const bits = ({ state }: Training) => structuredClone(state);

describe("settings", () => {
  const wrong: Record<string, readonly unknown[]> = {
    beta1: [Number.NaN, -0.1, 1, 1 - 1e-12, 1.5, "0.9", null],
    beta2: [Number.NaN, -1, 1, 2],
    epsilon: [Number.NaN, -1e-8, Infinity, 1e39],
    weightDecay: [Number.NaN, -0.1, Infinity],
    clipNorm: [Number.NaN, 0, -1, -Infinity],
  };
  for (const [name, values] of Object.entries(wrong)) {
    it(`${name}: ${values.map(String).join(", ")} are errors that name it`, async () => {
      for (const value of values)
        await expect(create({ [name]: value })).rejects.toThrow(new RegExp(`^${name} is .*, expected `));
    });
  }

  it("at the ends of their ranges they train", async () => {
    const training = await create({ beta1: 0, beta2: 0, epsilon: 0, weightDecay: 0, clipNorm: Infinity });
    expect(await training.step({ factor: [1] }, 0.1)).toMatchObject({ applied: true });
    expect(Array.from(training.parameter("w"), (w) => Math.fround(w))).toEqual(
      Array(3).fill(Math.fround(0.1)),
    );
    await training.dispose();
  });

  for (const rate of [
    Number.NaN,
    Infinity,
    -1e-3,
    1e39,
    undefined as unknown as number,
    "0.1" as unknown as number,
  ]) {
    it(`a learning rate of ${JSON.stringify(rate) ?? rate} (${rate}) is an error, and changes nothing`, async () => {
      const training = await create();
      await training.step({ factor: [1] }, 0.1);
      const before = bits(training);
      await expect(training.step({ factor: [1] }, rate)).rejects.toThrow(
        /the learning rate is .*, expected a finite/,
      );
      expect(bits(training)).toEqual(before);
      await training.dispose();
    });
  }

  it("a learning rate of 0 takes a step that moves no parameter", async () => {
    const training = await create();
    expect(await training.step({ factor: [1] }, 0)).toMatchObject({ applied: true });
    expect(Array.from(training.parameter("w"))).toEqual([0, 0, 0]);
    expect(training.state.steps).toBe(1);
    await training.dispose();
  });
});

describe("a step that would leave something not finite changes nothing and says so", () => {
  /** What makes the result not finite although loss and gradient are: each by its place in the state. */
  const cases: Record<string, { spoil?: (training: Training) => void; rate?: number }> = {
    "a learning rate that overflows the parameters": {
      spoil: (t) => t.parameter("w").fill(-1e18),
      rate: 3e38,
    },
    "a first moment that is NaN": { spoil: ({ state }) => state.firstMoment.set([Number.NaN], 1) },
    "a first moment that is infinite": { spoil: ({ state }) => state.firstMoment.set([-Infinity], 2) },
    "a second moment that is NaN": { spoil: ({ state }) => state.secondMoment.set([Number.NaN], 0) },
    // The parameter itself would be finite: a step divided by an infinite deviation is none.
    "a second moment that is infinite": { spoil: ({ state }) => state.secondMoment.set([Infinity], 2) },
    "a negative second moment": { spoil: ({ state }) => state.secondMoment.set([-1], 2) },
  };
  for (const [name, { spoil, rate = 0.1 }] of Object.entries(cases)) {
    it(name, async () => {
      const training = await create({ weightDecay: 0 });
      await training.step({ factor: [1e-3] }, 0.1);
      spoil?.(training);
      const before = bits(training);
      const result = await training.step({ factor: [1e-30] }, rate);
      expect(result.applied).toBe(false);
      expect(Number.isFinite(result.loss) && Number.isFinite(result.gradientNorm)).toBe(true);
      expect(bits(training)).toEqual(before);
      await training.dispose();
    });
  }

  it("but huge finite parameters, whose sum overflows, go on", async () => {
    const training = await Training.create(ort, {
      parameters: [{ name: "w", shape: [3], decay: false }],
      loss: ({ w }) => mean(mul(w!, 1e-3)),
    });
    training.parameter("w").fill(3e38);
    expect(await training.step({}, 0.1)).toMatchObject({ applied: true });
    expect(training.state.steps).toBe(1);
    await training.dispose();
  });
});

describe("calls that overlap", () => {
  const factors = [1, 3, 0.5, 2, 1];

  it("give what the same steps one after the other give, bit for bit", async () => {
    const [one, other] = [await create(), await create()];
    const waited = [];
    for (const factor of factors) waited.push(await one.step({ factor: [factor] }, 0.1 / factor));
    const overlapped = await Promise.all(
      factors.map((factor) => other.step({ factor: [factor] }, 0.1 / factor)),
    );
    expect(overlapped).toEqual(waited);
    expect(bits(other)).toEqual(bits(one));
    expect(other.state.steps).toBe(factors.length);
    await Promise.all([one.dispose(), other.dispose()]);
  });

  it("with another graph and its making between them, and failed ones, which stop nobody", async () => {
    const training = await create();
    const twice = (): ReturnType<Training["graph"]> =>
      training.graph(({ w }) => mul(definition.loss({ w: w! }), 2));
    const settled = await Promise.allSettled([
      training.step({ factor: [1] }, 0.1),
      training.step({ factor: [1, 2] }, 0.1),
      training.step({ factor: [1] }, Number.NaN),
      twice().then((graph) => training.step({ factor: [1] }, 0.1, graph)),
      training.graph(() => undefined as unknown as Tensor),
      training.step({ factor: [1] }, 0.1),
    ]);
    const states = settled.map(({ status }) => status);
    expect(states).toEqual(["fulfilled", "rejected", "rejected", "fulfilled", "rejected", "fulfilled"]);
    expect(training.state.steps).toBe(3);
    await training.dispose();
  });

  it("dispose waits for the steps before it; what is asked for later is an error, and disposing again is not", async () => {
    const training = await create();
    const step = training.step({ factor: [1] }, 0.1);
    const gone = training.dispose();
    await expect(training.step({ factor: [1] }, 0.1)).rejects.toThrow(/this training is disposed/);
    await expect(training.graph(definition.loss)).rejects.toThrow(/this training is disposed/);
    expect(await step).toMatchObject({ applied: true });
    await gone;
    await training.dispose();
  });

  it("a program too: dispose waits for its runs, and later ones are errors", async () => {
    const program = await compile(ort, { y: mul(input("x", [2]), 2) });
    const run = program.run({ x: [1, 2] });
    await Promise.all([program.dispose(), program.dispose()]);
    expect(Array.from((await run).y as Float32Array)).toEqual([2, 4]);
    await expect(program.run({ x: [1, 2] })).rejects.toThrow(/this program is disposed/);
  });
});

describe("mistakes get a sentence", () => {
  it("a graph of another training, feeds of the training's own names, a count of steps that is none, a loss that is none", async () => {
    const [training, other] = [await create(), await create()];
    const graph = await other.graph(definition.loss);
    await expect(training.step({ factor: [1] }, 0.1, graph)).rejects.toThrow(/not one of this training/);
    await expect(training.step({ factor: [1], parameters: [1, 2, 3] }, 0.1)).rejects.toThrow(
      /"parameters" cannot be fed/,
    );
    training.state.steps = 1.5;
    await expect(training.step({ factor: [1] }, 0.1)).rejects.toThrow(/state\.steps is 1\.5/);
    await expect(create({ loss: ({ w }) => w! })).rejects.toThrow(
      /the loss is float32 \[3\], expected a float32 scalar/,
    );
    await expect(create({ parameters: [] })).rejects.toThrow(/there are no parameters/);
    await expect(create({ parameters: [{ name: "w", shape: [0], decay: true }] })).rejects.toThrow(
      /parameter "w" has size 0/,
    );
    await Promise.all([training.dispose(), other.dispose()]);
  });
});
