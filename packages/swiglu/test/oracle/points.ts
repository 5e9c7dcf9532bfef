// The inputs that the oracle tests use: seeded, over all exponents and both signs, dense where functions are hard.

/** A small seeded generator of uniform numbers in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One number per exponent from 2^first to 2^last in steps, with a random mantissa, in both signs. */
export function exponents(first: number, last: number, step: number, random: () => number): number[] {
  const points: number[] = [];
  for (let exponent = first; exponent <= last; exponent += step) {
    const size = 2 ** exponent * (1 + random());
    points.push(size, -size);
  }
  return points.filter(Number.isFinite);
}

/** `count` numbers uniform between two bounds. */
export const uniform = (low: number, high: number, count: number, random: () => number): number[] =>
  Array.from({ length: count }, () => low + (high - low) * random());

/** A number with its neighbours on both sides, and the same below zero. */
export const around = (...points: number[]): number[] =>
  points.flatMap((p) => [p, p * (1 + 2 ** -52), p * (1 - 2 ** -52)]).flatMap((p) => [p, -p]);

/** The smallest and largest doubles and floats, and zeros. */
export const EXTREMES = [
  0,
  -0,
  ...[2 ** -1074, 2 ** -1022, 2 ** -149, 2 ** -126, Number.MAX_VALUE].flatMap((x) => [x, -x]),
];
