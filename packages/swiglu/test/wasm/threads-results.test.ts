// Results do not depend on the number of threads; the synchronous calls use them all.
import { afterAll, describe, expect, test } from "vitest";
import { activations, wasm } from "../../src/index.js";
import { poolOf, untilUp } from "./pool-kernels.js";
import { expectSameResults } from "./same-results.js";

describe("results on 2 and 3 threads are those of one", async () => {
  const one = await wasm({ simd: "plain", threads: 1 });
  const several = [await wasm({ simd: "plain", threads: 2 }), await wasm({ simd: "plain", threads: 3 })];
  afterAll(() => {
    for (const backend of [one, ...several]) backend.dispose();
  });

  test.each(Object.values(activations).map((activation) => [activation.name, activation] as const))(
    "%s",
    async (_, activation) => {
      for (const backend of several) {
        await untilUp(poolOf(backend));
        expectSameResults(one, backend, [activation]);
      }
    },
  );

  test("while backends take turns", () => {
    for (const backend of several) expect(poolOf(backend).helpers).toBe(backend.threads - 1);
    for (let turn = 0; turn < 5; turn++)
      for (const backend of several) expectSameResults(one, backend, [activations.swiglu]);
  });
});
