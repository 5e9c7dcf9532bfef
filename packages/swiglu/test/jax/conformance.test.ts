// The functions for jax-js pass the suite that every backend runs, gradients through vjp, as they are and under jit:
// the design's error bound, not widened, for inputs, parameters and dy up to 1e18.
import { describe, test } from "vitest";
import { adapterCases, blockAdapterCases } from "../conformance/adapters.js";
import { adapter, blockAdapter } from "./device.js";

const claim = {
  units: 1,
  domain: {
    except: "beyond 1e18, where products of three factors overflow between jax-js's own derivative rules",
    holds: (_: unknown, point: Readonly<Record<string, number>>) =>
      Object.values(point).every((value) => Math.abs(value) <= 1e18),
  },
};

describe("functions for jax-js under jit", () => {
  for (const { name, skip, run } of adapterCases(adapter("jit"), claim)) test.skipIf(skip)(name, run);
});

/** Without jit each operation is a kernel, and slow; forms.test.ts has every operation so. */
const few = /^(swiglu|geglu|elu|xielu|userUnary|userGated):/;

describe("functions for jax-js as they are", () => {
  for (const { name, skip, run } of adapterCases(adapter("plain"), claim).filter(({ name }) =>
    few.test(name),
  ))
    test.skipIf(skip)(name, run);
});

describe("blocks for jax-js", () => {
  for (const { name, skip, run } of blockAdapterCases(blockAdapter)) test.skipIf(skip)(name, run);
});
