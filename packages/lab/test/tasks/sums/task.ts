// The sums themselves: they are made, divided into parts, learned in batches, and evaluated like all sequences.
import { batchesOf } from "../../../src/data/batches.js";
import { permutation, stream } from "../../../src/data/random.js";
import { hashOf } from "../../../src/data/text.js";
import type { Trainer } from "../../../src/model/index.js";
import type { TaskData, TaskModule } from "../../../src/tasks/common/definition.js";
import {
  checkSequences,
  evaluateSequences,
  type Sequences,
  spread,
  tokensOf,
} from "../../../src/tasks/common/sequences.js";
import type { Batch, Expected, Outcome, Task, TestPart } from "../../../src/tasks/common/task.js";
import { contextOf, SIGNS, type SumsConfig } from "./config.js";

const HELD_BACK = 20;
const MOST = 2000;

class SumsTask implements Task<SumsConfig> {
  readonly config: SumsConfig;
  readonly path = undefined;
  readonly ends: { readonly vocabulary: number; readonly context: number };
  readonly testPart: TestPart;
  readonly validationPart: TestPart;
  readonly leftOut = { tooLong: [], nearCopies: [] };
  readonly introduction = "Sums, divided by chance.";
  readonly files = {};
  private readonly parts: Readonly<Record<"train" | "validation" | "test", Sequences>>;

  constructor(digits: number, { sha256 }: TaskData) {
    const range = 10 ** digits;
    const order = permutation(range ** 2, stream(0, "sums")).subarray(0, MOST);
    const partOf = (numbers: Int32Array): Sequences =>
      sequencesOf(
        Array.from(numbers, (n) => sumText(Math.floor(n / range), n % range, digits)),
        digits,
      );
    this.parts = {
      test: partOf(order.subarray(0, HELD_BACK)),
      validation: partOf(order.subarray(HELD_BACK, 2 * HELD_BACK)),
      train: partOf(order.subarray(2 * HELD_BACK)),
    };
    const { train, validation, test } = this.parts;
    const examples = { train: train.count, validation: validation.count, test: test.count };
    this.config = { task: "sums", data: { name: "sums", sha256, examples }, digits };
    this.ends = { vocabulary: SIGNS.length, context: contextOf(digits) };
    this.testPart = alone(test);
    this.validationPart = alone(validation);
  }

  *batches(seed: number, size: number, from = 0): Generator<Batch, never> {
    const { count, context, inputs, labels } = this.parts.train;
    const order = batchesOf(
      Int32Array.from({ length: count }, (_, i) => i),
      size,
      seed,
    );
    for (let i = 0; i < from; i++) order.next();
    for (;;) {
      const chosen = [...order.next().value];
      const rows = (all: Int32Array): Int32Array =>
        Int32Array.from(chosen.flatMap((i) => [...all.subarray(i * context, (i + 1) * context)]));
      yield { inputs: rows(inputs), labels: rows(labels) };
    }
  }

  validationBatch(size: number): Batch {
    return spread(this.parts.validation, size);
  }

  async evaluate(trainer: Trainer): Promise<Outcome> {
    const validation = await evaluateSequences(trainer, this.parts.validation);
    const test = await evaluateSequences(trainer, this.parts.test);
    const score = (loss: number) => ({ loss, bitsPerDigit: loss / Math.LN2 });
    return {
      validation: score(validation.loss),
      test: score(test.loss),
      validationLosses: validation.losses,
      testLosses: test.losses,
    };
  }

  async check(file: string, expected: Expected): Promise<string> {
    const loss = await checkSequences(file, this.parts.test, expected);
    return `it adds with a loss of ${loss.toFixed(4)} nats per token`;
  }
}

export const sumsModule: TaskModule<SumsConfig> = {
  read: () => ({ task: "sums", path: undefined, sha256: hashOf(["sums"]) }),
  make: ({ digits }, data) => new SumsTask(digits, data),
};

/** Sums that have nothing to do with each other. */
const alone = (sequences: Sequences): TestPart => ({
  weights: tokensOf(sequences),
  clusters: Int32Array.from({ length: sequences.count }, (_, i) => i),
});

/** 7 and 45 in two digits: "07+45=052". */
const sumText = (a: number, b: number, digits: number): string =>
  `${`${a}`.padStart(digits, "0")}+${`${b}`.padStart(digits, "0")}=${`${a + b}`.padStart(digits + 1, "0")}`;

/** Only what follows "=" has labels. */
function sequencesOf(texts: readonly string[], digits: number): Sequences {
  const context = contextOf(digits);
  const rows = texts.map((text) => Array.from(text, (sign) => SIGNS.indexOf(sign)));
  const isResult = (i: number): boolean => i >= context - digits - 1;
  return {
    count: rows.length,
    context,
    inputs: Int32Array.from(rows.flatMap((row) => row.slice(0, -1))),
    labels: Int32Array.from(rows.flatMap((row) => row.slice(1).map((sign, i) => (isResult(i) ? sign : -1)))),
    tokens: rows.length * (digits + 1),
  };
}
