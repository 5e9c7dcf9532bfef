// The Decoder gives, token by token, what the whole model gives for the sequence at once, also when rows change places.
import { activationByName } from "swiglu";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Decoder, Trainer } from "../../dist/model/index.js";

const shape = { vocabulary: 9, context: 6, width: 8, depth: 2, heads: 2, hidden: 5 };
const variant = { name: "swiglu-trained", activation: activationByName("swiglu"), trained: true };
const tokens = [
  [1, 2, 3, 4, 5, 6],
  [8, 7, 0, 1, 1, 2],
  [0, 0, 4, 8, 3, 3],
];

let trainer: Trainer;
let decoder: Decoder;
beforeAll(async () => {
  trainer = await Trainer.create(variant, shape, { batch: 3, weightDecay: 0, clipNorm: 1, threads: 1 });
  trainer.initialise(1);
  decoder = new Decoder(variant, shape, { rows: 3, threads: 1 });
});
afterAll(async () => {
  await trainer.dispose();
  await decoder.dispose();
});

/** Log-probabilities of every token after every place, from the whole model. */
async function expected(sequence: readonly number[], place: number): Promise<number[]> {
  const inputs = Int32Array.from({ length: 9 * 6 }, (_, i) => sequence[i % 6]!);
  const labels = new Int32Array(9 * 6).fill(-1);
  for (let token = 0; token < 9; token++) labels[6 * token + place] = token;
  const { losses } = await trainer.evaluate(inputs, labels);
  return Array.from({ length: 9 }, (_, token) => -losses[6 * token + place]!);
}

const close = (actual: Float32Array, wanted: readonly number[]): void => {
  wanted.forEach((value, i) => void expect(Math.abs(actual[i]! - value)).toBeLessThan(1e-5));
};

it("at every place, for every row; and again after a restart", async () => {
  for (let round = 0; round < 2; round++) {
    decoder.restart();
    for (let place = 0; place < 6; place++) {
      expect(decoder.place).toBe(place);
      const now = Int32Array.from(tokens, (row) => row[place]!);
      const scores = await decoder.next(trainer.state.parameters, now, Int32Array.of(0, 1, 2));
      for (const [row, sequence] of tokens.entries()) {
        close(scores.subarray(9 * row, 9 * row + 9), await expected(sequence, place));
      }
    }
  }
  await expect(decoder.next(trainer.state.parameters, new Int32Array(3), new Int32Array(3))).rejects.toThrow(
    /have 6 tokens already; the context is 6/,
  );
});

it("a row may go on with another one's sequence", async () => {
  decoder.restart();
  const { parameters } = trainer.state;
  for (let place = 0; place < 3; place++) {
    const now = Int32Array.from(tokens, (row) => row[place]!);
    await decoder.next(parameters, now, Int32Array.of(0, 1, 2));
  }
  const scores = await decoder.next(parameters, Int32Array.of(5, 6, 7), Int32Array.of(2, 2, 0));
  close(scores.subarray(0, 9), await expected([...tokens[2]!.slice(0, 3), 5, 0, 0], 3));
  close(scores.subarray(9, 18), await expected([...tokens[2]!.slice(0, 3), 6, 0, 0], 3));
  close(scores.subarray(18, 27), await expected([...tokens[0]!.slice(0, 3), 7, 0, 0], 3));
});
