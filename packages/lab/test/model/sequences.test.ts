// The Trainer on sequences: it learns, never looks ahead, leaves padding out, exports what it is, and goes on from a state.
import * as ort from "onnxruntime-node";
import { activationByName } from "swiglu";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Trainer } from "../../dist/model/index.js";

const shape = { vocabulary: 6, context: 8, width: 16, depth: 1, heads: 2, hidden: 11 };
const options = { batch: 16, weightDecay: 0.05, clipNorm: 1, threads: 1 };
const variant = { name: "swiglu", activation: activationByName("swiglu"), trained: false };

/** Sequences in which every token but the first two is the sum of the two before it, modulo 6. */
function batch(count: number, offset = 0) {
  const tokens = new Int32Array(count * shape.context);
  const labels = new Int32Array(count * shape.context).fill(-1);
  for (let s = 0; s < count; s++) {
    const sequence = [(s + offset) % 6, Math.floor((s + offset) / 6) % 6];
    while (sequence.length <= shape.context) sequence.push((sequence.at(-1)! + sequence.at(-2)!) % 6);
    for (let i = 0; i < shape.context; i++) {
      tokens[s * shape.context + i] = sequence[i]!;
      if (i > 0) labels[s * shape.context + i] = sequence[i + 1]!;
    }
  }
  return { tokens, labels };
}

let trainer: Trainer;
beforeAll(async () => {
  trainer = await Trainer.create(variant, shape, options);
  trainer.initialise(1);
  for (let i = 0; i < 300; i++) {
    const { tokens, labels } = batch(options.batch, 16 * i);
    await trainer.step(tokens, labels, 0.01);
  }
});
afterAll(() => trainer.dispose());

it("learns, and leaves padding out of the loss", async () => {
  const { tokens, labels } = batch(300); // more than one call of the evaluation graph
  const { loss, losses } = await trainer.evaluate(tokens, labels);
  expect(loss).toBeLessThan(0.1);
  expect(losses).toHaveLength(labels.length);
  const counted = losses.filter((_, i) => labels[i]! >= 0);
  expect(losses.filter((_, i) => labels[i]! < 0).every((value) => value === 0)).toBe(true);
  expect(loss).toBeCloseTo(counted.reduce((a, b) => a + b, 0) / counted.length, 10);
});

it("never looks ahead: other tokens behind a place leave its loss as it was, bit for bit", async () => {
  const { tokens, labels } = batch(4);
  const before = await trainer.evaluate(tokens, labels);
  const changed = tokens.map((token, i) => (i % shape.context >= 5 ? (token + 1) % 6 : token));
  const after = await trainer.evaluate(changed, labels);
  before.losses.forEach((value, i) => {
    if (i % shape.context < 5) expect(after.losses[i]).toBe(value);
    else expect(after.losses[i]).not.toBe(value);
  });
});

it("exports tokens to logits, whose softmax gives the same losses", async () => {
  const { tokens, labels } = batch(3);
  const session = await ort.InferenceSession.create(trainer.inferenceModel(3));
  const feeds = { tokens: new ort.Tensor("int32", tokens, [3, shape.context]) };
  const logits = (await session.run(feeds)).logits!.data as Float32Array;
  const { losses } = await trainer.evaluate(tokens, labels);
  labels.forEach((label, i) => {
    if (label < 0) return;
    const row = Array.from(logits.subarray(6 * i, 6 * i + 6));
    const loss = Math.log(row.reduce((sum, score) => sum + Math.exp(score), 0)) - row[label]!;
    expect(loss).toBeCloseTo(losses[i]!, 4);
  });
});

it("goes on from a copied state bit for bit", async () => {
  const { parameters, firstMoment, secondMoment, steps } = trainer.state;
  const saved = {
    parameters: parameters.slice(),
    firstMoment: firstMoment.slice(),
    secondMoment: secondMoment.slice(),
    steps,
  };
  const other = await Trainer.create(variant, shape, options);
  other.restore(saved);
  for (let i = 0; i < 3; i++) {
    const { tokens, labels } = batch(options.batch, 7 * i);
    const expected = await trainer.step(tokens, labels, 0.01);
    expect(await other.step(tokens, labels, 0.01)).toEqual(expected);
  }
  expect(other.state).toEqual(trainer.state);
  expect(() => other.restore({ ...saved, parameters: new Float32Array(3) })).toThrow(
    /restore: parameters has 3 elements; this model has \d+/,
  );
  await other.dispose();
});
