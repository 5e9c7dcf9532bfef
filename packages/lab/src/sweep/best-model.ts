// The best model as a file that others can run: written as ONNX, loaded again, and measured on test data.

import { type FinishedRun, lossesOfText } from "../records/record.js";
import { messageOf, UserError } from "../system/errors.js";
import type { Score } from "../tasks/common/score.js";
import type { Task } from "../tasks/common/task.js";
import { readModel, recordFile, writeResult } from "./folder.js";

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
 * @throws UserError when it is not there, or does not
 */
export async function saveBestModel(folder: string, best: FinishedRun, task: Task): Promise<BestModel> {
  const { variant, seed, validation, test } = best;
  const record = recordFile(folder, best);
  const model = readModel(folder, variant, seed);
  if (model === undefined) {
    throw new UserError(
      `${folder} lacks the model of ${variant}, seed ${seed}, the best by its record: that was changed, or its model was ` +
        `deleted. Delete ${record} to train it again; the models of other runs are kept until then.`,
    );
  }
  for (const [name, content] of Object.entries(task.files)) await writeResult(folder, name, content);
  const file = await writeResult(folder, "best.onnx", model);
  return {
    file: "best.onnx",
    variant,
    seed,
    validation,
    test,
    checked: await check(task, file, best, record),
  };
}

async function check(task: Task, file: string, best: FinishedRun, record: string): Promise<string> {
  try {
    return await task.check(file, { test: best.test, testLosses: lossesOfText(best.testLosses) });
  } catch (thrown) {
    throw new UserError(
      `${messageOf(thrown)}: the model of ${best.variant}, seed ${best.seed}, is damaged, or its record was changed. ` +
        `Delete ${record} to train it again.`,
    );
  }
}
