// Seeded float32 inputs that are hard on kernels: every exponent, both signs, zeros of derivatives, specials.
import type { Choice } from "./extent.js";

/** A small seeded generator (mulberry32) of uniform numbers in [0, 1). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` finite float32 values: half of ordinary size, half over all exponents from 2^-149 to 2^127. */
export function wideFloats(count: number, seed: number): Float32Array {
  const random = randomNumbers(seed);
  return Float32Array.from({ length: count }, () => {
    const sign = random() < 0.5 ? -1 : 1;
    if (random() < 0.5) return sign * (random() * 12 - 1);
    return sign * (1 + random()) * 2 ** (Math.floor(random() * 277) - 149);
  });
}

/** `count` values in [-scale, scale). */
export function plainFloats(count: number, seed: number, scale = 1): Float32Array {
  const random = randomNumbers(seed);
  return Float32Array.from({ length: count }, () => (random() * 2 - 1) * scale);
}

/** Points where formulas change or cancel: kinks, zeros of derivatives, thresholds of exp, denormals, extremes. */
export const hardPoints: readonly number[] = [
  0,
  -0,
  1,
  -1,
  3,
  3.000000238418579, // the next one: adding 3 to it gives 6 in float32
  -3,
  6,
  7,
  -7,
  10,
  -10,
  0.5,
  -0.5,
  -1.278464542761074,
  -2.43,
  0.7978845608,
  -18,
  -20,
  -87,
  -88,
  -88.7,
  -89,
  -90,
  -100,
  -103,
  -104,
  -200,
  88,
  88.7,
  89,
  90,
  100,
  104,
  1e4,
  -1e4,
  1e10,
  -1e10,
  1e25,
  -1e25,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  1.1754943508222875e-38,
  -1.1754943508222875e-38,
  1.401298464324817e-45,
  -1.401298464324817e-45,
  2 ** -24,
  -(2 ** -24),
  2 ** -12,
  -(2 ** -12),
  30,
  -30,
  25,
  -25,
];
export const specials: readonly number[] = [Number.NaN, Infinity, -Infinity];

/** Every pair (for two inputs) or value (for one) of the points, as one array for each input. */
export function combinations(points: readonly number[], inputs: number): Float32Array[] {
  if (inputs === 1) return [Float32Array.from(points)];
  const pairs = points.flatMap((a) => points.map((b) => [a, b] as const));
  return [Float32Array.from(pairs, ([a]) => a), Float32Array.from(pairs, ([, b]) => b)];
}

/** As `combinations`; where there is a choice, every point meets every seventh other, all of them in seven turns. */
export function hardCombinations(
  points: readonly number[],
  inputs: number,
  { extent, turn }: Choice,
): Float32Array[] {
  const all = combinations(points, inputs);
  if (extent === "full" || inputs === 1) return all;
  const isTaken = (i: number): boolean =>
    (Math.floor(i / points.length) + 3 * (i % points.length) + turn) % 7 === 0;
  return all.map((data) => data.filter((_, i) => isTaken(i)));
}
