// The bytes of every WebAssembly module that the conformance suite assembles, with and without relaxed SIMD, and of every
// graph that it gives to ONNX Runtime.
import { setFlagsFromString } from "node:v8";
import * as runtime from "onnxruntime-node";
import { expect, test } from "vitest";
import { type Backend, wasm } from "../../src/index.js";
import { ort } from "../../src/onnx-entry.js";
import { conformanceCases } from "../conformance/index.js";
import { Fingerprints } from "./fingerprints.js";

setFlagsFromString("--experimental-wasm-relaxed-simd");

/** Runs the suite for what it generates; a relaxed opcode of Node 20 may compute something else, which does not matter here. */
async function runAll(backend: Backend): Promise<void> {
  for (const { run } of conformanceCases()) await run(backend).catch(() => undefined);
  backend.dispose();
}

test.each(["relaxed", "plain"] as const)("modules, %s SIMD", async (simd) => {
  const found = new Fingerprints();
  const Module = WebAssembly.Module;
  WebAssembly.Module = class extends Module {
    constructor(bytes: BufferSource) {
      super(bytes);
      found.add(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : new Uint8Array(bytes.buffer));
    }
  };
  try {
    await runAll(await wasm({ simd, threads: 1 }));
  } finally {
    WebAssembly.Module = Module;
  }
  await found.check(`modules-${simd}`);
});

test("graphs of ort()", async () => {
  const found = new Fingerprints();
  const InferenceSession = {
    create: (model: Uint8Array, options?: runtime.InferenceSession.SessionOptions) => {
      found.add(model);
      return runtime.InferenceSession.create(model, options);
    },
  };
  await runAll(await ort({ runtime: { ...runtime, InferenceSession } as typeof runtime, threads: 1 }));
  await found.check("graphs");
  expect(true).toBe(true);
});
