// A user's mistakes, each with the sentence it must get; afterwards the backend still works.
import { activations, type Backend, type GatedFfnWeights, type PackedInput } from "../../src/index.js";
import { expectError, expectTrue } from "./expect.js";
import type { ConformanceCase } from "./index.js";

const { swiglu, relu, selfGlu } = activations;
const f = (count: number) => new Float32Array(count).fill(0.5);

/** Values that the types forbid, as they come from plain JavaScript. */
const wrong = <T>(value: unknown): T => value as T;

const mistakes: readonly (readonly [string, RegExp, (backend: Backend) => unknown])[] = [
  [
    "a misspelt input",
    /unknown input upp: swiglu takes gate and up\. Did you mean up\?/,
    (b) => b.activate(swiglu, wrong({ gate: f(2), upp: f(2) })),
  ],
  [
    "a missing input",
    /input up is missing: swiglu takes gate and up/,
    (b) => b.activate(swiglu, wrong({ gate: f(2) })),
  ],
  [
    "unequal lengths",
    /gate has 12 elements, up has 10/,
    (b) => b.activate(swiglu, { gate: f(12), up: f(10) }),
  ],
  [
    "a plain array",
    /gate is an array, expected a Float32Array/,
    (b) => b.activate(swiglu, wrong({ gate: [1, 2], up: f(2) })),
  ],
  [
    "a Float64Array",
    /up is Float64Array, expected a Float32Array/,
    (b) => b.activate(swiglu, wrong({ gate: f(2), up: new Float64Array(2) })),
  ],
  [
    "beta = NaN",
    /parameter beta is NaN, expected finite numbers/,
    (b) => b.activate(swiglu, { gate: f(2), up: f(2) }, { beta: Number.NaN }),
  ],
  [
    "an infinite channel",
    /parameter beta contains Infinity/,
    (b) => b.activate(swiglu, { gate: f(2), up: f(2) }, { beta: Float32Array.of(1, Infinity) }),
  ],
  [
    "a misspelt parameter",
    /unknown parameter bata: swiglu takes beta\. Did you mean beta\?/,
    (b) => b.activate(swiglu, { gate: f(2), up: f(2) }, wrong({ bata: 1 })),
  ],
  [
    "a parameter where there is none",
    /unknown parameter beta: relu takes no parameters/,
    (b) => b.activate(relu, { x: f(2) }, wrong({ beta: 1 })),
  ],
  [
    "channels that do not divide",
    /parameter beta has 4 channels, which does not divide the element count, 6/,
    (b) => b.activate(swiglu, { gate: f(6), up: f(6) }, { beta: f(4) }),
  ],
  [
    "an odd length split in halves",
    /packed has 7 elements along axis -1, which cannot be split/,
    (b) => b.activate(swiglu, { packed: f(7), shape: [7], layout: "gate-first" }),
  ],
  [
    "a wrong shape",
    /packed has 8 elements, shape \[2, 6\] has 12/,
    (b) => b.activate(swiglu, { packed: f(8), shape: [2, 6], layout: "gate-first" }),
  ],
  [
    "a fractional shape",
    /shape is \[2\.5,2\], expected an array of whole numbers/,
    (b) => b.activate(swiglu, { packed: f(5), shape: [2.5, 2], layout: "gate-first" }),
  ],
  [
    "an axis outside",
    /axis is 2, expected a whole number from -2 to 1/,
    (b) => b.activate(swiglu, { packed: f(8), shape: [2, 4], axis: 2, layout: "gate-first" }),
  ],
  [
    "an unknown layout",
    /layout is "gate_first", expected gate-first, gate-second and interleaved/,
    (b) => b.activate(swiglu, wrong<PackedInput>({ packed: f(8), shape: [8], layout: "gate_first" })),
  ],
  [
    "packed for a unary activation",
    /relu is unary and takes x; packed is for gated activations/,
    (b) => b.activate(relu, wrong({ packed: f(8), shape: [8], layout: "gate-first" })),
  ],
  [
    "an out of another length",
    /out has 3 elements, expected 2/,
    (b) => b.activate(relu, { x: f(2) }, {}, { out: f(3) }),
  ],
  [
    "a dy of another length",
    /dy has 1 elements, expected 2/,
    (b) => b.activateBackward(relu, { x: f(2) }, f(1)),
  ],
  [
    "an unknown gradient output",
    /unknown gradient in out: x: swiglu takes gate and up/,
    (b) => b.activateBackward(swiglu, { gate: f(2), up: f(2) }, f(2), {}, { out: { x: f(2) } }),
  ],
  [
    "a gradient output of another length",
    /out\.gate has 3 elements, expected 2/,
    (b) => b.activateBackward(swiglu, { gate: f(2), up: f(2) }, f(2), {}, { out: { gate: f(3) } }),
  ],
  [
    "a gradient output that is an input",
    /out\.up is also an input of this call, which a second backward would need/,
    (b) => {
      const up = f(2);
      return b.activateBackward(swiglu, { gate: f(2), up }, f(2), {}, { out: { up } });
    },
  ],
  ["a tensor of another shape", /data has 5 elements, expected 6/, (b) => b.tensor(f(5), [2, 3])],
  [
    "a gated activation in an ungated block",
    /activation swiglu is gated: use gatedFfn/,
    (b) => b.ffn({ activation: swiglu, dModel: 2, dFf: 3, weights: { up: f(6), down: f(6) } }),
  ],
  [
    "a weight of another shape",
    /weights\.gate has 5 elements, expected 6 for \[2, 3\]/,
    (b) =>
      b.gatedFfn({ activation: swiglu, dModel: 2, dFf: 3, weights: { gate: f(5), up: f(6), down: f(6) } }),
  ],
  [
    "a missing weight",
    /weights\.down is missing: this block needs gate, up and down/,
    (b) =>
      b.gatedFfn({
        activation: swiglu,
        dModel: 2,
        dFf: 3,
        weights: wrong<GatedFfnWeights>({ gate: f(6), up: f(6) }),
      }),
  ],
  [
    "an unknown weight",
    /unknown weight gateBais: this gated block takes .* Did you mean gateBias\?/,
    (b) =>
      b.gatedFfn({
        activation: swiglu,
        dModel: 2,
        dFf: 3,
        weights: wrong<GatedFfnWeights>({ gate: f(6), up: f(6), down: f(6), gateBais: f(3) }),
      }),
  ],
  [
    "a fractional width",
    /dFf is 2\.5, expected a whole number, 1 or greater/,
    (b) =>
      b.gatedFfn({ activation: swiglu, dModel: 2, dFf: 2.5, weights: { gate: f(5), up: f(5), down: f(5) } }),
  ],
  [
    "packed weights without a layout",
    /layout is missing: packed weights need one of/,
    (b) => b.gatedFfn({ activation: swiglu, dModel: 2, dFf: 3, weights: { packed: f(12), down: f(6) } }),
  ],
  [
    "self-gated weights for another activation",
    /swiglu is not self-gated/,
    (b) =>
      b.gatedFfn({ activation: swiglu, dModel: 2, dFf: 3, weights: { in: f(6), square: f(9), down: f(6) } }),
  ],
  [
    "channels that do not divide dFf",
    /parameter beta has 2 channels, which does not divide dFf, 3/,
    (b) =>
      b.gatedFfn({
        activation: swiglu,
        dModel: 2,
        dFf: 3,
        weights: { gate: f(6), up: f(6), down: f(6) },
        parameters: { beta: f(2) },
      }),
  ],
  [
    "x of another length",
    /x has 5 elements, expected 4 for \[rows 2, dModel 2\]/,
    async (b) => (await smallBlock(b)).forward(f(5), 2),
  ],
  [
    "negative rows",
    /rows is -1, expected a whole number, 0 or greater/,
    async (b) => (await smallBlock(b)).forward(f(0), -1),
  ],
  [
    "dY of another length",
    /dY has 3 elements, expected 4/,
    async (b) => (await (await smallBlock(b)).record(f(4), 2)).backward(f(3)),
  ],
  [
    "a disposed pass",
    /this pass is disposed/,
    async (b) => {
      const pass = await (await smallBlock(b)).record(f(4), 2);
      pass.dispose();
      return pass.backward(f(4));
    },
  ],
  [
    "a disposed block",
    /this feed-forward block is disposed/,
    async (b) => {
      const block = await smallBlock(b);
      block.dispose();
      return block.forward(f(4), 2);
    },
  ],
];

const smallBlock = (backend: Backend) =>
  backend.gatedFfn({
    activation: selfGlu,
    dModel: 2,
    dFf: 3,
    weights: { in: f(6), square: f(9), down: f(6) },
  });

/** One case for each mistake. */
export function mistakeCases(): ConformanceCase[] {
  return mistakes.map(([name, message, call]) => ({
    name: `mistake: ${name}`,
    run: async (backend) => {
      await expectError(() => call(backend), message);
      const y = await backend.activate(relu, { x: Float32Array.of(-1, 2) });
      expectTrue(String(y) === "0,2", "the backend no longer works after the mistake");
    },
  }));
}
