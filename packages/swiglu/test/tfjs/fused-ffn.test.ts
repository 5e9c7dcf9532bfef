// Fused feed-forward kernels on the wasm backend's own memory: the shared suite of blocks, all forms and odd sizes, through
// kernels and through the public functions.
import * as tf from "@tensorflow/tfjs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { activations } from "../../src/index.js";
import { gatedDense, gatedFfn, registerFusedKernels, unregisterFusedKernels } from "../../src/tfjs/index.js";
import { blockAdapterCases } from "../conformance/adapters.js";
import { blockAdapter, useBackend } from "./backends.js";
import { blockKernels, fusedRuns, guardMemory, memoryState } from "./fused-watch.js";

beforeAll(async () => {
  await useBackend("wasm");
  registerFusedKernels();
});
guardMemory();
afterEach(() => expect(memoryState().scratch).toBe(0));
afterAll(unregisterFusedKernels);

describe("kernels, parameters as tensors", () => {
  for (const { name, skip, run } of blockAdapterCases(blockKernels)) test.skipIf(skip)(name, run);
});
describe("public functions", () => {
  for (const { name, skip, run } of blockAdapterCases(blockAdapter)) test.skipIf(skip)(name, run);
});

/** Random numbers, the same for the same seed. */
const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 0.5, "float32", seed);

/** Expects results and gradients of kernels to be those of the composed form. */
function expectComposed(
  kernel: string,
  f: (...tensors: tf.Tensor[]) => tf.Tensor,
  given: tf.Tensor[],
  dy: tf.Tensor,
): void {
  const gradients = tf.grads(f);
  const results = () => [f(...given), ...gradients(given, dy)].map((tensor) => tensor.dataSync<"float32">());
  const fused = results();
  expect(fusedRuns(() => gradients(given, dy))).toEqual([kernel, `${kernel}Backward`]);
  unregisterFusedKernels();
  const composed = results();
  registerFusedKernels();
  fused.forEach((data, i) => {
    const wanted = composed[i] as Float32Array;
    expect(data.length).toBe(wanted.length);
    const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // Sums of up to 1400 products in float32, in another order.
    const off = data.reduce((most, value, j) => Math.max(most, Math.abs(value - (wanted[j] as number))), 0);
    expect(off / scale, `result ${i}`).toBeLessThan(2e-5);
  });
}

/** Sizes with and without padding, few rows, many rows, long sums; and more panels than are packed at a time. */
const sizes = [
  [1, 8, 16],
  [3, 24, 40],
  [7, 13, 27],
  [64, 48, 128],
  [9, 1104, 16],
  [70, 96, 1400],
  [200, 16, 1400],
] as const;

test.each(sizes)("blocks of %i x %i x %i give what the composed form does", (rows, dModel, dFf) => {
  const given = [
    random([rows, dModel], 1),
    random([dModel, dFf], 2),
    random([dModel, dFf], 3),
    random([dFf, dModel], 4),
    random([dFf], 5),
    random([dModel], 6),
  ];
  const block = (...[x, gate, up, down, upBias, downBias]: tf.Tensor[]) =>
    gatedFfn(activations.swiglu, x as tf.Tensor, { gate, up, down, upBias, downBias } as never);
  expectComposed("SwigluFfn", block, given, random([rows, dModel], 7));
});

test.each(sizes)("gated projections of %i x %i to %i likewise", (rows, dIn, units) => {
  const given = [
    random([rows, dIn], 1),
    random([dIn, units], 2),
    random([dIn, units], 3),
    random([units], 4),
    tf.fill([units], 1.5),
  ];
  const dy = random([rows, units], 5);
  const dense = (...[x, gate, up, gateBias, beta]: tf.Tensor[]) =>
    gatedDense(activations.swiglu, x as tf.Tensor, { gate, up, gateBias } as never, { beta } as never);
  expectComposed("SwigluGatedDense", dense, given, dy);
  const plain = (...[x, gate, up]: tf.Tensor[]) =>
    gatedDense(activations.glu, x as tf.Tensor, { gate, up } as never);
  expectComposed("SwigluGatedDense", plain, given.slice(0, 3), dy);
});
