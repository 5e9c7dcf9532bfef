// Every activation on TensorFlow.js's cpu and wasm backends: values and gradients within the error bound, strictly.
import { beforeAll, describe, test } from "vitest";
import { gradient } from "../../src/index.js";
import { adapterCases, blockAdapterCases } from "../conformance/adapters.js";
import type { Claim } from "../conformance/elementwise.js";
import { adapter, backends, blockAdapter, useBackend } from "./backends.js";

const largest = 3.4028234663852886e38;

/** The design's bound, times 1. Composed gradients are dy times a derivative, which must itself fit in float32. */
const claim: Claim = {
  units: 1,
  domain: {
    except: "where a derivative alone, before dy, is beyond float32",
    holds: (activation, { dy, ...point }) => {
      if (dy === undefined) return true;
      const inputs = Object.fromEntries(activation.inputs.map((name) => [name, point[name]]));
      const parameters = Object.fromEntries(
        Object.keys(activation.parameters).map((name) => [name, point[name]]),
      );
      const slopes: readonly number[] = Object.values(
        gradient(activation, inputs as never, parameters as never),
      );
      return slopes.every((slope) => Math.abs(slope) <= largest);
    },
  },
};

describe.each(backends)("composed on the %s backend", (backend) => {
  beforeAll(() => useBackend(backend));
  for (const { name, skip, run } of adapterCases(adapter, claim)) test.skipIf(skip)(name, run);
  for (const { name, run } of blockAdapterCases(blockAdapter)) test(name, run);
});
