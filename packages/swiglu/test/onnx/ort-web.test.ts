// The ONNX Runtime backend on onnxruntime-web, its WebAssembly build, which runs in Node too.
import * as runtime from "onnxruntime-web";
import { afterAll, describe, expect, test } from "vitest";
import { ort } from "../../src/onnx-entry.js";
import { conformanceCases } from "../conformance/index.js";

runtime.env.wasm.numThreads = 1;

describe("onnxruntime-web", async () => {
  const backend = await ort({ runtime });
  afterAll(() => backend.dispose());
  for (const { name, run } of conformanceCases()) test(name, () => run(backend));

  test("has the runtime's own number of threads, and refuses another", async () => {
    expect(backend.threads).toBe(1);
    await expect(ort({ runtime, threads: 2 })).rejects.toThrow(
      "threads is 2, but this onnxruntime-web computes with 1: set env.wasm.numThreads of the runtime",
    );
  });
});
