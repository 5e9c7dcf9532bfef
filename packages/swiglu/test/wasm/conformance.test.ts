// The WebAssembly backend passes the suite that every backend runs: here in this Node; test/runtimes runs it elsewhere.
import { afterAll, describe, test } from "vitest";
import { wasm } from "../../src/index.js";
import { conformanceCases } from "../conformance/index.js";
import { poolOf, untilUp } from "./pool-kernels.js";

describe.each([1, 2])("wasm backend, plain SIMD, threads: %i", async (threads) => {
  const backend = await wasm({ simd: "plain", threads });
  afterAll(() => backend.dispose());
  if (threads > 1) await untilUp(poolOf(backend));
  for (const { name, run } of conformanceCases({ extent: "full" })) test(name, () => run(backend));
});
