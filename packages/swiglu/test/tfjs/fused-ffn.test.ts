// Fused feed-forward kernels on the wasm backend's own memory: the shared suite of blocks, all forms and odd sizes.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { registerFusedKernels, unregisterFusedKernels } from "../../src/tfjs/fused/index.js";
import { blockAdapterCases } from "../conformance/adapters.js";
import { useBackend } from "./backends.js";
import { blockKernels, memoryState } from "./fused-watch.js";

beforeAll(async () => {
  await useBackend("wasm");
  registerFusedKernels();
});
afterEach(() => expect(memoryState().scratch).toBe(0));
afterAll(unregisterFusedKernels);

describe("fused blocks, parameters as tensors", () => {
  for (const { name, skip, run } of blockAdapterCases(blockKernels(false))) test.skipIf(skip)(name, run);
});
