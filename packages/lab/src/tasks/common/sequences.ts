// Measuring sequences of tokens, for every task that has them: with the Trainer, and with an exported model.
import { setImmediate as yieldToEvents } from "node:timers/promises";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Trainer } from "../../model/index.js";
import type { Batch, Expected } from "./task.js";

/** Sequences of `context` tokens each, one after the other. */
export interface Sequences {
  readonly count: number;
  readonly context: number;
  readonly inputs: Int32Array;
  /** What follows each token; -1 where that is padding. */
  readonly labels: Int32Array;
  /** Labels that are not padding. */
  readonly tokens: number;
}

/** Tokens evaluated at a time, about. */
const PORTION = 16_384;

/** The mean loss of a token, and the sum of the losses in every sequence. */
export async function evaluateSequences(
  trainer: Trainer,
  { count, context, inputs, labels, tokens }: Sequences,
): Promise<{ loss: number; losses: Float32Array }> {
  const losses = new Float32Array(count);
  const portion = Math.ceil(PORTION / context);
  let total = 0;
  for (let start = 0; start < count; start += portion) {
    const [from, to] = [start * context, Math.min(count, start + portion) * context];
    const part = await trainer.evaluate(inputs.subarray(from, to), labels.subarray(from, to));
    for (let i = 0; i < to - from; i += context) {
      const sum = part.losses.subarray(i, i + context).reduce((a, b) => a + b, 0);
      losses[(from + i) / context] = sum;
      total += sum;
    }
    await yieldToEvents();
  }
  return { loss: total / tokens, losses };
}

/** How many labels each sequence has. */
export function tokensOf({ count, context, labels }: Sequences): Int32Array {
  const tokens = new Int32Array(count);
  labels.forEach((label, i) => {
    if (label >= 0) tokens[Math.floor(i / context)]!++;
  });
  return tokens;
}

/** At most `wanted` of the sequences, at equal distances. */
export function spread({ count, context, inputs, labels }: Sequences, wanted: number): Batch {
  const taken = Math.min(count, wanted);
  const chosen = { inputs: new Int32Array(taken * context), labels: new Int32Array(taken * context) };
  for (let i = 0; i < taken; i++) {
    const from = Math.floor((i * count) / taken) * context;
    chosen.inputs.set(inputs.subarray(from, from + context), i * context);
    chosen.labels.set(labels.subarray(from, from + context), i * context);
  }
  return chosen;
}

/**
 * Runs an exported model on the first test sequences.
 *
 * @returns its loss for each token of them
 * @throws Error when that is not what training measured
 */
export async function checkSequences(
  file: string,
  { count, context, inputs, labels }: Sequences,
  { testLosses }: Expected,
): Promise<number> {
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
  const [metadata] = session.inputMetadata;
  const batch = metadata?.isTensor ? Number(metadata.shape[0]) : 1;
  const taken = Math.min(batch, count);
  const tokens = new Int32Array(batch * context);
  tokens.set(inputs.subarray(0, taken * context));
  const results = await session.run({ tokens: new Tensor("int32", tokens, [batch, context]) });
  await session.release();
  const logits = results.logits!.data as Float32Array;
  const vocabulary = logits.length / tokens.length;
  let sum = 0;
  let counted = 0;
  for (let i = 0; i < taken * context; i++) {
    const label = labels[i]!;
    if (label < 0) continue;
    const row = logits.subarray(i * vocabulary, (i + 1) * vocabulary);
    const largest = row.reduce((a, b) => Math.max(a, b));
    sum += largest + Math.log(row.reduce((all, score) => all + Math.exp(score - largest), 0)) - row[label]!;
    counted++;
  }
  const expected = testLosses.subarray(0, taken).reduce((a, b) => a + b, 0);
  if (!(Math.abs(sum - expected) <= 1e-4 * expected)) {
    throw new Error(
      `${file} has a loss of ${sum / counted} on the first test sequences, but training measured ${expected / counted}`,
    );
  }
  return sum / counted;
}
