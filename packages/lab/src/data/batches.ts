// Which images are trained on, in what order: the held-back part, and the batches of a seed. Nothing here knows the
// variant, so that all variants of one seed see the same batches in the same order.
import type { LabelledImages } from "./image-set.js";
import { permutation, stream } from "./random.js";

export interface Split {
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

/** Holds back one image in twelve (5,000 of 60,000) for validation: the same ones for every seed and variant. */
export function holdBack(count: number): Split {
  const order = permutation(count, stream(0, "held-back part"));
  const held = Math.max(1, Math.floor(count / 12));
  return { validation: order.subarray(0, held), train: order.subarray(held) };
}

/**
 * The batches of a seed, without end: shuffled passes over `indices`, one after the other; a batch may span two passes.
 *
 * @param indices the images to draw from
 * @param size images per batch
 */
export function* batchesOf(indices: Int32Array, size: number, seed: number): Generator<Int32Array, never> {
  const random = stream(seed, "batches");
  let order = permutation(indices.length, random);
  let next = 0;
  for (;;) {
    const batch = new Int32Array(size);
    for (let i = 0; i < size; i++) {
      if (next === order.length) {
        order = permutation(indices.length, random);
        next = 0;
      }
      batch[i] = indices[order[next++]!]!;
    }
    yield batch;
  }
}

/** The indices of all images of a set. */
export const allOf = ({ count }: LabelledImages): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => i);

/** The images at `indices` as the model takes them: pixels from 0 to 1, [count, imageSize * imageSize], row-major. */
export function gather(
  set: LabelledImages,
  indices: Int32Array,
): { inputs: Float32Array; labels: Int32Array } {
  const size = set.pixels.length / set.count;
  const inputs = new Float32Array(indices.length * size);
  const labels = new Int32Array(indices.length);
  indices.forEach((from, i) => {
    labels[i] = set.labels[from]!;
    for (let p = 0; p < size; p++) inputs[i * size + p] = set.pixels[from * size + p]! / 255;
  });
  return { inputs, labels };
}
