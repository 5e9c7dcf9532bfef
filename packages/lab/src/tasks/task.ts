// A task: data, what a model learns from it batch by batch, and how well it does. All else is the same for every task.
import type { TaskConfig, TaskKind, TaskSettings } from "../config/task.js";
import type { ImageShape, SequenceShape, Trainer } from "../model/index.js";
import type { FinishedRun, Sample, Score } from "../records/record.js";
import type { TestPart } from "../statistics/bootstrap.js";
import { type ImagesData, ImagesTask, readImages } from "./images.js";
import { LanguageTask, readTexts, type TextData } from "./language.js";
import { type PairsData, readTranslations, TranslationTask } from "./translation.js";

export interface Batch {
  /** Pixels of images, or tokens of sequences, as `Trainer.step` takes them. */
  readonly inputs: Float32Array | Int32Array;
  readonly labels: Int32Array;
}

/** What became of a trained model. */
export interface Outcome {
  readonly validation: Score;
  readonly test: Score;
  /** Of every test example, in nats: what says how much the choice of the test set may matter. */
  readonly testLosses: Float32Array;
  /** The same of every validation example. */
  readonly validationLosses: Float32Array;
  readonly samples?: readonly Sample[];
}

/** Examples by name: a document's, or a pair's source. */
export interface LeftOut {
  /** Longer than the context. */
  readonly tooLong: readonly string[];
  /** Groups of two or more that share passages, and so are in one part of the data. */
  readonly nearCopies: readonly (readonly string[])[];
}

export interface Task {
  /** The task's part of the configuration: with the same part, the same batches, bit for bit. */
  readonly config: TaskConfig;
  /** What the user gave as --data, as an absolute path; undefined for the data that comes with the lab. */
  readonly path: string | undefined;
  /** The shape of the model without its blocks. */
  readonly ends:
    | Pick<ImageShape, "imageSize" | "patch" | "classes">
    | Pick<SequenceShape, "vocabulary" | "context">;
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

  /** So many examples of the validation part, or all where there are fewer; the same ones always, from all over it. */
  validationBatch(size: number): Batch;

  evaluate(trainer: Trainer): Promise<Outcome>;

  /**
   * Runs the model file on test data.
   *
   * @returns what it measured, as the end of a sentence
   * @throws Error when that is not what training measured
   */
  check(file: string, run: FinishedRun): Promise<string>;
}

/** What is read of a task's data, whatever is asked of it; equal data have equal hashes. */
export type TaskData = ImagesData | TextData | PairsData;

/**
 * Reads the data of a task. What fails here is the fault of files, or of the machine that lacks them.
 *
 * @param path a file or folder; the data that comes with the lab when left out
 * @throws UserError for data that cannot be read or used
 */
export function readData(task: TaskKind, path?: string): TaskData {
  switch (task) {
    case "images":
      return readImages(path);
    case "language":
      return readTexts(path);
    case "translation":
      return readTranslations(path);
  }
}

/**
 * Prepares a task of its data. What fails here is the fault of the settings.
 *
 * @param settings what was chosen; a configuration will do
 * @param lowers whether a vocabulary that the data do not allow becomes the largest that they allow
 * @throws UserError for settings that do not fit the data
 */
export function makeTask(settings: TaskSettings, data: TaskData, lowers = false): Task {
  switch (data.task) {
    case "images":
      return new ImagesTask(of(settings, data.task).patch, data);
    case "language":
      return new LanguageTask(of(settings, data.task), data, lowers);
    case "translation":
      return new TranslationTask(of(settings, data.task), data, lowers);
  }
}

/** Both of these, with their errors. */
export const loadTask = (settings: TaskSettings, path?: string, lowers?: boolean): Task =>
  makeTask(settings, readData(settings.task, path), lowers);

function of<K extends TaskKind>(settings: TaskSettings, task: K): Extract<TaskSettings, { task: K }> {
  if (settings.task !== task) throw new Error(`the data are of ${task}, the settings of ${settings.task}`);
  return settings as Extract<TaskSettings, { task: K }>;
}
