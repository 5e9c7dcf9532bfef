// The best model as a file that others can run: written as ONNX, loaded again, and measured on the test images.
import { InferenceSession, Tensor } from "onnxruntime-node";
import { allOf, gather } from "../data/batches.js";
import type { ImageSet, LabelledImages } from "../data/imageSet.js";
import { UserError } from "../errors.js";
import { readModel, writeResult } from "./folder.js";
import type { FinishedRun } from "./record.js";

export interface BestModel {
  readonly file: string;
  readonly variant: string;
  readonly seed: number;
  readonly validationAccuracy: number;
  /** Measured with the file, after loading it again. */
  readonly testAccuracy: number;
}

/**
 * Writes `best.onnx` and checks that, loaded again, it has the accuracy that training measured.
 *
 * @throws Error when the file's accuracy differs by as much as one image
 */
export async function saveBestModel(folder: string, best: FinishedRun, data: ImageSet): Promise<BestModel> {
  const model = readModel(folder, best.variant, best.seed);
  if (model === undefined) {
    throw new UserError(
      `${folder} lacks the model of ${best.variant}, seed ${best.seed}: delete its record to train it again.`,
    );
  }
  const file = await writeResult(folder, "best.onnx", model);
  const testAccuracy = await accuracyOf(file, data.test);
  if (testAccuracy !== best.test.accuracy) {
    throw new Error(
      `${file} has a test accuracy of ${testAccuracy}, but training measured ${best.test.accuracy}`,
    );
  }
  return {
    file: "best.onnx",
    variant: best.variant,
    seed: best.seed,
    validationAccuracy: best.validation.accuracy,
    testAccuracy,
  };
}

/** The share of images that an ONNX model (images [batch, pixels] -> logits [batch, classes]) labels rightly. */
async function accuracyOf(file: string, set: LabelledImages): Promise<number> {
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
  const [input, output] = [session.inputNames[0]!, session.outputNames[0]!];
  const [metadata] = session.inputMetadata;
  const batch = metadata?.isTensor ? Number(metadata.shape[0]) : 1;
  const pixels = set.pixels.length / set.count;
  const everything = allOf(set);
  let right = 0;
  for (let start = 0; start < set.count; start += batch) {
    const { images, labels } = gather(set, everything.subarray(start, start + batch));
    const full = new Float32Array(batch * pixels); // the last batch is filled up with blanks
    full.set(images);
    const results = await session.run({ [input]: new Tensor("float32", full, [batch, pixels]) });
    const logits = results[output]!.data as Float32Array;
    const classes = logits.length / batch;
    labels.forEach((label, i) => {
      const scores = logits.subarray(i * classes, (i + 1) * classes);
      if (scores.every((score, other) => other === label || score < scores[label]!)) right++;
    });
  }
  await session.release();
  return right / set.count;
}
