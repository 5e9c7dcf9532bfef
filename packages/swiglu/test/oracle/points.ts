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
export const extremes = [
  0,
  -0,
  ...[2 ** -1074, 2 ** -1022, 2 ** -149, 2 ** -126, Number.MAX_VALUE].flatMap((x) => [x, -x]),
];

type Draw = (random: () => number) => number;
const signed = (size: number, random: () => number): number => (random() < 0.5 ? -size : size);
const logUniform =
  (first: number, last: number): Draw =>
  (random) =>
    signed(2 ** (first + (last - first) * random()), random);
const within =
  (low: number, high: number): Draw =>
  (random) =>
    low + (high - low) * random();

/** Zeros and extrema of silu, gelu, mish and xielu and of their gradients, where the results cancel. */
const cancelling = [
  -1.278464542761074,
  -2.399357280520547,
  -0.7517915246935645,
  -Math.SQRT2,
  -1.1924312,
  -2.43,
  -1.0858,
  -0.6408,
];
const nearCancelling: Draw = (random) => {
  const point = cancelling[Math.floor(random() * cancelling.length)]!;
  return point * (1 + signed(2 ** (-52 * random()), random));
};

/** How inputs are drawn: each of these in turn, the last around where squares overflow. `huge` is the largest exponent. */
const inputDraws = (huge: number): Draw[] => [
  logUniform(-huge, huge),
  within(-4, 4),
  within(-40, 40),
  logUniform(-60, 3),
  logUniform(-Math.min(huge, 126), Math.min(huge, 127)),
  within(-10, 10),
  nearCancelling,
  within(-800, 100),
  logUniform(huge / 2 - 2, huge / 2 + 6),
];

/** How each parameter is drawn, by its name. */
const anySlope: Draw[] = [
  within(-10, 10),
  within(0.5, 2),
  within(-1, 1),
  logUniform(-30, 3),
  () => 0,
  () => 1,
];
const anyLimit: Draw[] = [within(0.5, 12), within(0.01, 100), () => 7];
const positive: Draw[] = [within(0, 3), () => 0.8, () => 0];
const parameterValues: Readonly<Record<string, Draw[]>> = {
  beta: anySlope,
  alpha: anySlope,
  offset: [() => 1, () => 0, within(-4, 4)],
  slope: [() => 0.01, ...anySlope],
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: these are the published digits, not the constant's.
  mu: [() => 0.707107, within(-3, 3), () => 0],
  sigma: [() => 0.282095, within(0.05, 4), () => 1],
  alphaP: positive,
  alphaN: positive,
  limit: anyLimit,
  gateLimit: anyLimit,
  upLimit: anyLimit,
};

/**
 * `count` points for an activation: its inputs drawn in every way, its parameters over their useful range. Every tenth
 * point puts slope times input where the sigmoid's tail leaves the doubles, or with huge < 150, the floats.
 */
export function pointsOf(
  activation: { readonly inputs: readonly string[]; readonly parameters: Readonly<Record<string, number>> },
  { count, seed, huge = 997 }: { count: number; seed: number; huge?: number },
): Record<string, number>[] {
  const random = seeded(seed);
  const draw = (draws: readonly Draw[], turn: number): number => draws[turn % draws.length]!(random);
  const inputs = inputDraws(huge);
  return Array.from({ length: count }, (_, i) => {
    const point: Record<string, number> = {};
    activation.inputs.forEach((name, j) => {
      point[name] = draw(inputs, j === 0 ? i : Math.floor(random() * inputs.length));
    });
    for (const name of Object.keys(activation.parameters))
      point[name] = draw(parameterValues[name]!, Math.floor(random() * parameterValues[name]!.length));
    const slope = point.beta ?? point.alpha ?? 0;
    if (i % 10 === 9 && slope !== 0)
      point[activation.inputs[0]!] = ((huge < 150 ? 1 : 7) * within(-120, 120)(random)) / slope;
    return point;
  });
}
