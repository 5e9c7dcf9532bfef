// Fused activations on the wasm backend's own memory: the shared suite within the design's bound, then what is peculiar to
// that memory: it grows, it ends, it is shared with everything else.
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { activations } from "../../src/index.js";
import { registerFusedKernels, unregisterFusedKernels } from "../../src/tfjs/fused/index.js";
import { activate } from "../../src/tfjs/index.js";
import { adapterCases } from "../conformance/adapters.js";
import { adapter, useBackend } from "./backends.js";
import { fusedRuns } from "./fused-watch.js";

const { swiglu } = activations;

beforeAll(async () => {
  await useBackend("wasm");
  registerFusedKernels();
});
afterAll(unregisterFusedKernels);

describe("fused on tfjs's own memory", () => {
  for (const { name, skip, run } of adapterCases(adapter, { units: 1 })) test.skipIf(skip)(name, run);
});

test("layers and functions run the fused kernels once they are registered, and composed operations before", () => {
  const [gate, up] = [tf.randomNormal([3, 5]), tf.randomNormal([3, 5])];
  const both = () =>
    tf.grads((g: tf.Tensor, u: tf.Tensor) => activate(swiglu, { gate: g, up: u }))([gate, up]);
  expect(fusedRuns(both)).toEqual(["SwigluActivation", "SwigluActivationBackward"]);
  unregisterFusedKernels();
  expect(fusedRuns(both)).toEqual([]);
  registerFusedKernels();
  registerFusedKernels();
  expect(fusedRuns(both)).toHaveLength(2);
});
