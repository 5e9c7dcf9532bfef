// As everywhere in jax-js: functions consume what they are given, nothing is left behind; mistakes are told at once.
import { grad, jit, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import {
  activations,
  defineActivation,
  expressions as e,
  geglu,
  relu,
  selfGlu,
  swiglu,
  swish,
} from "../../src/index.js";
import { activate, ffn, functions, gatedFfn, jaxFunction } from "../../src/jax/index.js";
import { array, read } from "./device.js";

/** Values that the types forbid, as they come from plain JavaScript. */
const wrong = <T>(value: unknown): T => value as T;
const small = () => np.ones([2, 3]);

describe("ownership", () => {
  test("arguments are consumed, and .ref keeps them", () => {
    const [gate, up, beta] = [small(), small(), np.ones([3])];
    const y = functions.swiglu(gate.ref, up.ref, { beta: beta.ref });
    y.dataSync();
    expect([gate, up, beta].map((a) => a.refCount)).toEqual([1, 1, 1]);
    functions.swiglu(gate, up, { beta }).dataSync();
    expect([gate, up, beta].map((a) => a.refCount)).toEqual([0, 0, 0]);
  });

  test.each(Object.values(activations))("$name leaves nothing behind", (activation) => {
    const inputs = activation.inputs.map(small);
    const parameters = Object.fromEntries(
      Object.keys(activation.parameters).map((name) => [name, np.ones([])]),
    );
    const f = jaxFunction(activation) as (...operands: unknown[]) => ReturnType<typeof small>;
    const y = f(...inputs, parameters);
    y.blockUntilReady();
    for (const given of [...inputs, ...Object.values(parameters)])
      expect(given.refCount).toBe(given === y ? 1 : 0);
    expect(y.refCount).toBe(1);
    y.dispose();
  });

  test("packed input, and a block's x and weights, are consumed", () => {
    const packed = np.ones([2, 6]);
    activate(swiglu, { packed, layout: "interleaved" }).dataSync();
    expect(packed.refCount).toBe(0);
    const forms = [
      { gate: np.ones([2, 3]), up: np.ones([2, 3]), down: np.ones([3, 2]), gateBias: np.ones([3]) },
      { packed: np.ones([2, 6]), down: np.ones([3, 2]), packedBias: np.ones([6]) },
      { in: np.ones([2, 3]), square: np.ones([3, 3]), down: np.ones([3, 2]), downBias: np.ones([2]) },
    ] as const;
    for (const weights of forms) {
      const x = np.ones([5, 2]);
      const options = "packed" in weights ? { layout: "gate-first" as const } : {};
      gatedFfn("in" in weights ? selfGlu : swiglu, x, weights, options).dataSync();
      expect([x, ...Object.values(weights)].map((a) => a.refCount)).toEqual(
        [x, ...Object.keys(weights)].map(() => 0),
      );
    }
  });

  test("after a mistake the arrays are still the caller's", () => {
    const [gate, up] = [small(), np.ones([2, 4])];
    expect(() => functions.swiglu(gate, up)).toThrow(RangeError);
    expect([gate.refCount, up.refCount]).toEqual([1, 1]);
    tree.dispose([gate, up]);
  });

  test("jax-js's memory does not grow over 300 training steps", () => {
    // Its allocator's memory is the one that is created when the device starts; arrays that stay would show there.
    const step = jit(
      (weights: { gate: np.Array; up: np.Array; down: np.Array; beta: np.Array }, x: np.Array) => {
        const [loss, slopes] = valueAndGrad((w: typeof weights) => {
          const { beta, ...matrices } = w;
          return gatedFfn(swiglu, x, matrices, { parameters: { beta } }).sum();
        })(tree.ref(weights));
        loss.dispose();
        return tree.map((w: np.Array, d: np.Array) => w.sub(d.mul(1e-6)), weights, slopes) as typeof weights;
      },
    );
    let weights = {
      gate: np.ones([64, 512]),
      up: np.ones([64, 512]),
      down: np.ones([512, 64]),
      beta: np.ones([512]),
    };
    const run = (steps: number) => {
      for (let i = 0; i < steps; i++) {
        weights = step(weights, np.ones([16, 64]));
        weights.gate.ref.dataSync();
      }
    };
    run(20);
    const before = process.memoryUsage();
    run(280);
    const after = process.memoryUsage();
    // One array that stayed at each step would be 280 * 128 KiB = 36 MB.
    expect(after.external - before.external).toBeLessThan(16e6);
    tree.dispose(weights);
    step.dispose();
  });

  test("nor without jit, where every operation is an array of its own", () => {
    const run = (steps: number) => {
      for (let i = 0; i < steps; i++)
        for (const f of [functions.swiglu, functions.situGlu, functions.geglu]) {
          const inputs = { gate: np.ones([1 << 14]), up: np.ones([1 << 14]) };
          const slopes = grad(({ gate, up }: typeof inputs) => f(gate, up).sum())(inputs);
          for (const slope of Object.values(slopes)) slope.dataSync();
        }
    };
    run(10);
    const before = process.memoryUsage().external;
    run(100);
    // One array that stayed at each step would be 100 * 64 KiB = 6.5 MB.
    expect(process.memoryUsage().external - before).toBeLessThan(4e6);
  });
});

test("an activation of one's own", () => {
  const { mul, sigmoid } = e;
  const siglu = defineActivation({
    name: "siglu",
    kind: "gated",
    parameters: { slope: 2 },
    expression: mul(sigmoid(mul("slope", "gate")), "up"),
  });
  const f = jaxFunction(siglu);
  expect(read(f(np.zeros([2]), array(Float32Array.of(3, 5))))).toEqual(Float32Array.of(1.5, 2.5));
  const slope = grad((s: np.Array) => f(np.zeros([2]), np.ones([2]), { slope: s }).sum())(np.array(2));
  expect(slope.item()).toBe(0);
});

test("numbers are accepted, as in jax-js itself", () => {
  expect(functions.swiglu(0, 3).item()).toBe(0);
  expect(grad((x: np.Array) => functions.silu(x))(0).item()).toBe(0.5);
});

const mistakes: readonly (readonly [string, RegExp, () => unknown])[] = [
  [
    "an unknown activation",
    /^activation is "swigllu", expected one of the catalogue/,
    () => jaxFunction(wrong<typeof swiglu>("swigllu")),
  ],
  [
    "a missing input",
    /^input up is missing: swiglu takes gate and up/,
    () => activate(swiglu, wrong({ gate: small() })),
  ],
  [
    "a misspelt input",
    /^unknown input upp: .* Did you mean up\?/,
    () => activate(swiglu, wrong({ gate: small(), upp: small() })),
  ],
  [
    "a plain array",
    /^gate is an array of JavaScript, expected a jax-js array: convert with numpy\.array/,
    () => functions.swiglu(wrong([1]), small()),
  ],
  [
    "whole numbers",
    /^x has dtype int32, expected floats: convert with astype/,
    () => functions.relu(np.ones([2], { dtype: np.int32 })),
  ],
  [
    "float16 on the wasm device",
    /^x has dtype float16, in which jax-js's wasm device computes nothing: make it in float32/,
    () => functions.relu(np.ones([2], { dtype: np.float16 })),
  ],
  [
    "unequal shapes",
    /^gate has shape \[2, 3\], up has \[3\]: they must be equal/,
    () => functions.swiglu(small(), np.ones([3])),
  ],
  [
    "too many arguments",
    /^swiglu got 4 arguments, expected gate, up and optionally an object of parameters/,
    () => wrong<(...all: unknown[]) => unknown>(functions.swiglu)(small(), small(), {}, 1),
  ],
  [
    "one argument",
    /^swiglu got 1 arguments.* for one packed array use activate/,
    () => wrong<(x: unknown) => unknown>(functions.swiglu)(small()),
  ],
  [
    "a misspelt parameter",
    /^unknown parameter bata: swiglu takes beta\. Did you mean beta\?/,
    () => functions.swiglu(small(), small(), wrong({ bata: 1 })),
  ],
  [
    "beta = NaN",
    /^parameter beta is NaN, expected a finite number or an array/,
    () => functions.swish(small(), { beta: Number.NaN }),
  ],
  [
    "beta of another width",
    /^parameter beta has shape \[4\], which does not broadcast to the shape of gate, \[2, 3\]/,
    () => functions.swiglu(small(), small(), { beta: np.ones([4]) }),
  ],
  [
    "beta of a larger shape",
    /^parameter beta has shape \[5, 2, 3\], which does not broadcast/,
    () => functions.swish(small(), { beta: np.ones([5, 2, 3]) }),
  ],
  [
    "an unknown layout",
    /^layout is "gate_first", expected gate-first, gate-second and interleaved/,
    () => activate(swiglu, wrong({ packed: np.ones([4]), layout: "gate_first" })),
  ],
  [
    "an odd packed axis",
    /^packed has 3 elements along axis -1, which cannot be split/,
    () => activate(swiglu, { packed: small(), layout: "gate-first" }),
  ],
  [
    "an axis outside",
    /^axis is 2, expected a whole number from -2 to 1/,
    () => activate(swiglu, { packed: small(), axis: 2, layout: "gate-first" }),
  ],
  [
    "packed for a unary activation",
    /^relu is unary and takes x; packed is for gated/,
    () => activate(relu, wrong({ packed: small(), layout: "gate-first" })),
  ],
  [
    "a gated activation in an ungated block",
    /^activation geglu is gated: use gatedFfn/,
    () => ffn(wrong<typeof relu>(geglu), np.ones([1, 2]), { up: np.ones([2, 3]), down: np.ones([3, 2]) }),
  ],
  [
    "a transposed weight",
    /^weights\.gate has shape \[3, 2\], expected \[2, 3\]: dModel is 2 \(x\), dFf is 3 .* PyTorch's \[out, in\] matrices must be transposed/,
    () =>
      gatedFfn(swiglu, np.ones([1, 2]), {
        gate: np.ones([3, 2]),
        up: np.ones([2, 3]),
        down: np.ones([3, 2]),
      }),
  ],
  [
    "a missing weight",
    /^weights\.down is missing: this block needs gate, up and down/,
    () => gatedFfn(swiglu, np.ones([1, 2]), wrong({ gate: np.ones([2, 3]), up: np.ones([2, 3]) })),
  ],
  [
    "an unknown weight",
    /^unknown weight gateBais.* Did you mean gateBias\?/,
    () =>
      gatedFfn(
        swiglu,
        np.ones([1, 2]),
        wrong({ gate: np.ones([2, 3]), up: np.ones([2, 3]), down: np.ones([3, 2]), gateBais: np.ones([3]) }),
      ),
  ],
  [
    "packed weights without a layout",
    /^layout is missing: packed weights need one of/,
    () => gatedFfn(swiglu, np.ones([1, 2]), { packed: np.ones([2, 6]), down: np.ones([3, 2]) }),
  ],
  [
    "an unknown layout of weights",
    /^layout is "gateFirst"/,
    () =>
      gatedFfn(
        swiglu,
        np.ones([1, 2]),
        { packed: np.ones([2, 6]), down: np.ones([3, 2]) },
        wrong({ layout: "gateFirst" }),
      ),
  ],
  [
    "self-gated weights for another activation",
    /^weights are \{ in, square, down \}, but swiglu is not self-gated/,
    () =>
      gatedFfn(swiglu, np.ones([1, 2]), {
        in: np.ones([2, 3]),
        square: np.ones([3, 3]),
        down: np.ones([3, 2]),
      }),
  ],
  [
    "beta that does not fit the hidden layer",
    /^parameter beta has shape \[2\], which does not broadcast to the hidden layer's shape, \[1, 3\]/,
    () =>
      ffn(
        swish,
        np.ones([1, 2]),
        { up: np.ones([2, 3]), down: np.ones([3, 2]) },
        { parameters: { beta: np.ones([2]) } },
      ),
  ],
];

describe("mistakes, also while jit traces", () => {
  test.each(mistakes)("%s", (_, message, call) => {
    expect(call).toThrow(message);
    const traced = jit(() => {
      call();
      return np.ones([1]);
    });
    expect(() => traced()).toThrow(message);
  });
});
