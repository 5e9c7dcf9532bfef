// The ONNX Runtime backend passes the suite that every backend runs, native with one thread and two.
import * as runtime from "onnxruntime-node";
import { afterAll, describe, test } from "vitest";
import { ort } from "../../src/onnx-entry.js";
import { conformanceCases } from "../conformance/index.js";

describe.each([1, 2])("onnxruntime-node, threads: %i", async (threads) => {
  const backend = await ort({ runtime, threads });
  afterAll(() => backend.dispose());
  for (const { name, run } of conformanceCases()) test(name, () => run(backend));
});
