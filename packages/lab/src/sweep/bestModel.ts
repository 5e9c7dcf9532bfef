// The best model as a file that others can run: written as ONNX, loaded again, and measured on test data.
import { UserError } from "../errors.js";
import type { FinishedRun, Score } from "../records/record.js";
import type { Task } from "../tasks/task.js";
import { readModel, writeResult } from "./folder.js";

export interface BestModel {
  readonly file: string;
  readonly variant: string;
  readonly seed: number;
  readonly validation: Score;
  readonly test: Score;
  /** What the file, loaded again, measured: the end of a sentence. */
  readonly checked: string;
}

/**
 * Writes `best.onnx` and what it needs beside it, and checks that, loaded again, it does what training measured.
 *
 * @throws Error when it does not
 */
export async function saveBestModel(folder: string, best: FinishedRun, task: Task): Promise<BestModel> {
  const { variant, seed, validation, test } = best;
  const model = readModel(folder, variant, seed);
  if (model === undefined) {
    throw new UserError(
      `${folder} lacks the model of ${variant}, seed ${seed}: delete its record to train it again.`,
    );
  }
  for (const [name, content] of Object.entries(task.files)) await writeResult(folder, name, content);
  const file = await writeResult(folder, "best.onnx", model);
  return { file: "best.onnx", variant, seed, validation, test, checked: await task.check(file, best) };
}
