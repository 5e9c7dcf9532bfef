// The task of naming what images show: IDX files, patches, accuracy.
import { resolve } from "node:path";
import { setImmediate as yieldToEvents } from "node:timers/promises";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { allOf, batchesOf, gather, holdBack } from "../../data/batches.js";
import { type ImageSet, type LabelledImages, loadImageSet } from "../../data/image-set.js";
import type { Trainer } from "../../model/index.js";
import { UserError } from "../../system/errors.js";
import { grouped, percent } from "../../words/format.js";
import type { TaskData, TaskModule } from "../common/definition.js";
import type { Score } from "../common/score.js";
import type { Batch, Expected, Outcome, Task, TestPart } from "../common/task.js";
import type { ImagesConfig } from "./config.js";

/** Images evaluated at a time. */
const PORTION = 1000;

/** What is read of images, whatever is asked of them. */
interface ImagesData extends TaskData {
  readonly task: "images";
  readonly set: ImageSet;
}

/** Reads images from a folder, MNIST where none is named. Throws a UserError for files that cannot be used. */
function readImages(path: string | undefined): ImagesData {
  const set = loadImageSet(path);
  return { task: "images", path: path && resolve(path), sha256: set.sha256, set };
}

class ImagesTask implements Task<ImagesConfig> {
  readonly config: ImagesConfig;
  readonly path: string | undefined;
  readonly ends: { readonly imageSize: number; readonly classes: number; readonly patch: number };
  readonly testPart: TestPart;
  readonly validationPart: TestPart;
  readonly leftOut = { tooLong: [], nearCopies: [] };
  readonly introduction: string;
  readonly files = {};
  private readonly data: ImageSet;
  private readonly train: Int32Array;
  private readonly validation: Int32Array;

  /** @throws UserError for a patch that does not divide the images */
  constructor(patch: number, { set: data, path }: ImagesData) {
    const { name, sha256, imageSize, classes } = data;
    if (imageSize % patch !== 0) {
      const divisors = Array.from({ length: imageSize }, (_, i) => i + 1).filter((d) => imageSize % d === 0);
      throw new UserError(
        `--patch ${patch} does not divide the images of ${imageSize} x ${imageSize}: choose ${divisors.join(", ")}.`,
      );
    }
    const { train, validation } = holdBack(data.train.count);
    const examples = { train: train.length, validation: validation.length, test: data.test.count };
    this.config = { task: "images", data: { name, sha256, examples, imageSize, classes }, patch };
    this.path = path;
    this.ends = { imageSize, classes, patch };
    this.testPart = { weights: new Int32Array(data.test.count).fill(1), clusters: allOf(data.test) };
    this.validationPart = {
      weights: new Int32Array(validation.length).fill(1),
      clusters: Int32Array.from(validation, (_, i) => i),
    };
    this.introduction =
      `Images of ${imageSize} x ${imageSize} in ${classes} classes: ${grouped(train.length)} to train on, ` +
      `${grouped(validation.length)} held back for validation, ${grouped(data.test.count)} for the test.`;
    this.data = data;
    this.train = train;
    this.validation = validation;
  }

  *batches(seed: number, size: number, from = 0): Generator<Batch, never> {
    const indices = batchesOf(this.train, size, seed);
    for (let i = 0; i < from; i++) indices.next();
    for (;;) yield gather(this.data.train, indices.next().value);
  }

  validationBatch(size: number): Batch {
    return gather(this.data.train, this.validation.subarray(0, size)); // which is in random order
  }

  async evaluate(trainer: Trainer): Promise<Outcome> {
    const { train, test } = this.data;
    const validation = await evaluateOn(trainer, train, this.validation);
    const { score, losses } = await evaluateOn(trainer, test, allOf(test));
    return {
      validation: validation.score,
      test: score,
      testLosses: losses,
      validationLosses: validation.losses,
    };
  }

  async check(file: string, { test }: Expected): Promise<string> {
    const accuracy = await accuracyOf(file, this.data.test);
    if (accuracy !== test.accuracy) {
      throw new Error(`${file} has a test accuracy of ${accuracy}, but training measured ${test.accuracy}`);
    }
    return `it has the same test accuracy, ${percent(accuracy)}`;
  }
}

export const imagesModule: TaskModule<ImagesConfig, ImagesData> = {
  read: readImages,
  make: ({ patch }, data) => new ImagesTask(patch, data),
};

/** Loss and accuracy over some images, in portions, so that the process stays responsive. */
async function evaluateOn(
  trainer: Trainer,
  set: LabelledImages,
  indices: Int32Array,
): Promise<{ score: Score; losses: Float32Array }> {
  const losses = new Float32Array(indices.length);
  let loss = 0;
  let right = 0;
  for (let start = 0; start < indices.length; start += PORTION) {
    const { inputs, labels } = gather(set, indices.subarray(start, start + PORTION));
    const part = await trainer.evaluate(inputs, labels);
    losses.set(part.losses, start);
    loss += part.loss * labels.length;
    right += Math.round((part.accuracy ?? 0) * labels.length);
    await yieldToEvents();
  }
  return { score: { loss: loss / indices.length, accuracy: right / indices.length }, losses };
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
    const { inputs, labels } = gather(set, everything.subarray(start, start + batch));
    const full = new Float32Array(batch * pixels); // the last batch is filled up with blanks
    full.set(inputs);
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
