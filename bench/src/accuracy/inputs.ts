// The inputs that functions are checked on: all float32 values for one input, seeded points of all sizes for two.
import type { Activation } from "swiglu";
import type { Part } from "./results.js";

/** Inputs for one call of a kernel. */
export interface Block {
  readonly inputs: readonly Float32Array[];
  readonly dy: Float32Array;
  readonly parameters: Readonly<Record<string, number>>;
}

const blockSize = 2 ** 16;
const patterns = 2 ** 32;
/** A function's inputs are checked in this many parts, any of which can be done at any time. */
export const parts = 256;

/** Part `index` of all bit patterns, or of the seeded points. */
export function partOf(activation: Activation, index: number, stride: number): Part {
  const size = patterns / parts;
  return activation.kind === "unary"
    ? { kind: "bits", from: index * size, to: (index + 1) * size, stride }
    : { kind: "points", seed: index, count: blockSize };
}

/** The blocks of a part. Their arrays are written over by the next block. */
export function* blocks(activation: Activation, part: Part): Generator<Block> {
  if (part.kind === "points") {
    const random = seeded(part.seed * 7919 + activation.name.length);
    for (let done = 0; done < part.count; done += blockSize) yield points(activation, random);
    return;
  }
  const { from, to, stride } = part;
  const bits = new Uint32Array(blockSize);
  const all = new Float32Array(bits.buffer);
  const ones = new Float32Array(blockSize).fill(1);
  const first = Math.ceil(from / stride) * stride;
  for (let start = first; start < to; start += blockSize * stride) {
    const count = Math.min(blockSize, Math.ceil((to - start) / stride));
    for (let i = 0; i < count; i++) bits[i] = start + i * stride;
    yield {
      inputs: [all.subarray(0, count)],
      dy: ones.subarray(0, count),
      parameters: activation.parameters,
    };
  }
}

/** A small seeded generator of uniform numbers in [0, 1) (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / patterns;
  };
}

type Random = () => number;

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);
/** Any finite float32: every exponent is as likely as every other, both signs. */
const anyFloat = (random: Random): number => {
  do word[0] = Math.floor(random() * patterns);
  while (!Number.isFinite(float[0]!));
  return float[0]!;
};
const ordinary =
  (size: number) =>
  (random: Random): number =>
    size * (2 * random() - 1);

/** How gate, up and dy are drawn: all pairs of these turn by turn. */
const draws = [anyFloat, ordinary(12), ordinary(100), ordinary(1)];

/** Parameters over their useful range: slopes and exponents of both signs, limits above 0; every third time the defaults. */
function parametersOf({ parameters }: Activation, random: Random): Record<string, number> {
  const defaults = random() < 1 / 3;
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => {
      if (defaults) return [name, value];
      const drawn = name.toLowerCase().endsWith("limit") ? 0.5 + 12 * random() : 20 * random() - 10;
      return [name, Math.fround(drawn)];
    }),
  );
}

/** A block of points; every pair of draws is in it, with one set of parameters. */
function points(activation: Activation, random: Random): Block {
  const draw = (choose: (i: number) => number) =>
    Float32Array.from({ length: blockSize }, (_, i) => draws[choose(i) % draws.length]!(random));
  return {
    inputs: activation.inputs.map((_, k) => draw((i) => Math.floor(i / draws.length ** k))),
    dy: draw((i) => Math.floor(i / draws.length ** activation.inputs.length)),
    parameters: parametersOf(activation, random),
  };
}
