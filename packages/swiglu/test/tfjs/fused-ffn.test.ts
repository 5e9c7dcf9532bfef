// Fused feed-forward kernels on the wasm backend's own memory: the shared suite of blocks, all forms and odd sizes, through
// kernels and through the public functions.
import * as tf from "@tensorflow/tfjs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { activations } from "../../src/index.js";
import { gatedFfn, registerFusedKernels, unregisterFusedKernels } from "../../src/tfjs/index.js";
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

/** Sizes with and without padding, few rows, many rows, long sums. */
const sizes = [
  [1, 8, 16],
  [3, 24, 40],
  [7, 13, 27],
  [64, 48, 128],
  [130, 16, 1400],
] as const;

test.each(sizes)("the gradients of %i x %i x %i are those of the composed form", (rows, dModel, dFf) => {
  const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 0.5, "float32", seed);
  const given = [
    random([rows, dModel], 1),
    random([dModel, dFf], 2),
    random([dModel, dFf], 3),
    random([dFf, dModel], 4),
    random([dFf], 5),
    random([dModel], 6),
  ];
  const dy = random([rows, dModel], 7);
  const block = (...[x, gate, up, down, upBias, downBias]: tf.Tensor[]) =>
    gatedFfn(activations.swiglu, x as tf.Tensor, { gate, up, down, upBias, downBias } as never);
  const gradients = () =>
    tf
      .grads(block)(given, dy)
      .map((tensor) => tensor.dataSync<"float32">());
  const fused = gradients();
  expect(fusedRuns(() => tf.grads(block)(given, dy))).toEqual(["SwigluFfn", "SwigluFfnBackward"]);
  unregisterFusedKernels();
  const composed = gradients();
  registerFusedKernels();
  fused.forEach((data, i) => {
    const wanted = composed[i] as Float32Array;
    const scale = Math.max(...wanted.map(Math.abs));
    // Sums of up to 1400 products in float32, in another order.
    const off = data.reduce((most, value, j) => Math.max(most, Math.abs(value - (wanted[j] as number))), 0);
    expect(off / scale, `gradient ${i}`).toBeLessThan(2e-5);
  });
});
