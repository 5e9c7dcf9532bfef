// A user's mistakes with layers: each is an error when the layer is made or connected, and names the layer.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { GatedDense, GatedFfn, Glu, SelfGated, Swish } from "../../src/tfjs/index.js";
import { useBackend } from "./backends.js";

describe("mistakes are errors when the layer is made or connected", () => {
  beforeAll(() => useBackend("cpu"));
  const wrong = <T>(value: unknown): T => value as T;
  const connect = (layer: tf.layers.Layer, ...shape: (number | null)[]) => layer.apply(tf.input({ shape }));

  const cases: readonly (readonly [string, () => unknown, string])[] = [
    [
      "a wrong layout",
      () => new Glu({ activation: "swiglu", layout: wrong("gate_first"), name: "mine" }),
      'Glu layer "mine": layout is "gate_first", expected gate-first, gate-second and interleaved',
    ],
    [
      "no layout",
      () => new Glu(wrong({ activation: "swiglu" })),
      "expected gate-first, gate-second and interleaved",
    ],
    [
      "an unknown activation",
      () => new GatedDense({ units: 3, activation: "swigluu", name: "mine" }),
      'GatedDense layer "mine": unknown activation swigluu. Did you mean swiglu?',
    ],
    [
      "no activation",
      () => new Glu(wrong({ layout: "gate-first", name: "m" })),
      'Glu layer "m": activation is undefined',
    ],
    [
      "an activation's function",
      () => new GatedFfn({ dFf: 3, activation: wrong(Math.tanh) }),
      "expected a name of the catalogue or an activation from defineActivation",
    ],
    [
      "an odd size",
      () => connect(new Glu({ activation: "swiglu", layout: "gate-first", name: "mine" }), 7),
      'Glu layer "mine": packed has 7 elements along axis 1, which cannot be split into gate and up',
    ],
    [
      "the batch axis",
      () => new Glu({ activation: "swiglu", layout: "gate-first", axis: 0 }),
      "axis is 0, expected a whole number other than 0, which is the batch",
    ],
    [
      "an axis outside",
      () => connect(new Glu({ activation: "swiglu", layout: "gate-first", axis: 3 }), 4, 4),
      "axis is 3, expected one of the 3 axes of the input other than the batch",
    ],
    [
      "too many values of beta",
      () => connect(new Swish({ beta: [1, 2, 3, 4], name: "mine" }), 3),
      'Swish layer "mine": parameter beta has 4 values, expected 3: one for each channel of the last axis',
    ],
    [
      "values for one trainable beta",
      () => new Swish({ beta: { value: [1, 2], trainable: true } }),
      'parameter beta has 2 values and one trainable value for the layer: pass one number, or trainable: "per-channel"',
    ],
    [
      "beta of text",
      () => new Swish({ beta: wrong({ value: "1" }) }),
      "parameter beta has the value 1, expected finite",
    ],
    [
      "a misspelt option of beta",
      () => new Swish({ beta: wrong({ trainabel: true }) }),
      "Did you mean trainable?",
    ],
    [
      "a wrong mode",
      () => new Swish({ beta: { trainable: wrong("channel") } }),
      'trainable is "channel", expected false',
    ],
    [
      "a regulariser of a fixed beta",
      () => new Swish({ beta: { value: 1, regularizer: "l1l2" } }),
      "parameter beta has a regularizer, but is fixed: make it trainable",
    ],
    [
      "an unknown parameter",
      () => new GatedDense({ units: 3, activation: "geglu", parameters: { beta: 1 } }),
      "unknown parameter beta: geglu takes no parameters",
    ],
    [
      "no units",
      () => new GatedDense(wrong({})),
      "units is undefined, expected a whole number, 1 or greater",
    ],
    [
      "a fractional dFf",
      () => new GatedFfn({ dFf: 2.5 }),
      "dFf is 2.5, expected a whole number, 1 or greater",
    ],
    [
      "a gate of its own",
      () => new SelfGated({ activation: "swiglu" }),
      "swiglu is not self-gated: use selfGlu or swigluBlend, or a GatedDense layer",
    ],
    [
      "an unknown initialiser",
      () => new GatedDense({ units: 3, upKernelInitializer: "glorotUnifrom" }),
      'upKernelInitializer is "glorotUnifrom": expected an object such as',
    ],
    [
      "an unknown last axis",
      () => connect(new GatedDense({ units: 3 }), 4, null),
      "input has shape [null, 4, null], expected at least 2 axes and a known size of the last one",
    ],
    [
      "two inputs",
      () => new GatedDense({ units: 3 }).apply([tf.input({ shape: [3] }), tf.input({ shape: [3] })]),
      "expected one input, got 2",
    ],
  ];
  test.each(cases)("%s", (_name, make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(/layer "/);
  });

  test("another width than the layer was built for is refused by TensorFlow.js itself", () => {
    const layer = new GatedDense({ units: 3 });
    layer.apply(tf.ones([2, 4]));
    expect(() => layer.apply(tf.ones([2, 5]))).toThrow(/incompatible with layer/);
  });
});
