// A task: data, what a model learns from it batch by batch, and how well it does. All else is the same for every task.
import type { Trainer } from "../../model/index.js";
import type { EndsShape } from "../../model/types.js";
import type { TaskConfigBase } from "./config.js";
import type { Sample, Score } from "./score.js";

export interface Batch {
  /** Pixels of images, or tokens of sequences, as `Trainer.step` takes them. */
  readonly inputs: Float32Array | Int32Array;
  readonly labels: Int32Array;
}

/** What became of a trained model. */
export interface Outcome {
  readonly validation: Score;
  readonly test: Score;
  /** The loss of every test example, in nats: it says how much the choice of the test set may matter. */
  readonly testLosses: Float32Array;
  /** The loss of every validation example. */
  readonly validationLosses: Float32Array;
  readonly samples?: readonly Sample[];
}

/** What training measured on the test part, for an exported model to be held against. */
export type Expected = Pick<Outcome, "test" | "testLosses">;

/** Examples by name: a document's, or a pair's source. */
export interface LeftOut {
  /** Longer than the context. */
  readonly tooLong: readonly string[];
  /** Groups of two or more that share passages, and so are in one part of the data. */
  readonly nearCopies: readonly (readonly string[])[];
}

/** How the examples of a part of the data count, and which of them belong together. */
export interface TestPart {
  /** What each example counts in the mean loss: its tokens; 1 for an image. */
  readonly weights: Int32Array;
  /** The document, or the group of like sources, that each example belongs to: examples of one are not independent. */
  readonly clusters: Int32Array;
}

export interface Task<C extends TaskConfigBase = TaskConfigBase> {
  /** The task's part of the configuration: with the same part, the same batches, bit for bit. */
  readonly config: C;
  /** What the user gave as --data, as an absolute path; undefined for the data that comes with the lab. */
  readonly path: string | undefined;
  /** The shape of the model without its blocks. */
  readonly ends: EndsShape;
  readonly testPart: TestPart;
  readonly validationPart: TestPart;
  /** What became of examples that were dropped, or kept together as copies in part. */
  readonly leftOut: LeftOut;
  /** The data in sentences for the user. */
  readonly introduction: string;
  /** Files that the trained model needs, by name. */
  readonly files: Readonly<Record<string, string>>;

  /**
   * The batches of a seed, without end; they do not depend on the variant.
   *
   * @param size examples per batch
   * @param from how many batches to leave out: those that an interrupted run has had
   */
  batches(seed: number, size: number, from?: number): Generator<Batch, never>;

  /** `size` examples of the validation part, or all where there are fewer; always the same ones, from all over it. */
  validationBatch(size: number): Batch;

  evaluate(trainer: Trainer): Promise<Outcome>;

  /**
   * Runs the model file on test data.
   *
   * @returns what it measured, as the end of a sentence
   * @throws Error when that is not what training measured
   */
  check(file: string, expected: Expected): Promise<string>;
}
