// The learning rate of every variant from tuning runs: the minimum of a parabola through the means near the best, or one common
// rate where the variants' minima cannot be told apart (docs/method.md, second edition).
import { anova } from "./inference/anova.js";
import { meanOf } from "./inference/estimate.js";

/** y = level + slope x + curvature x^2, with x the natural logarithm of the rate over `centre`. */
export interface Parabola {
  readonly centre: number;
  readonly level: number;
  readonly slope: number;
  /** Above 0. */
  readonly curvature: number;
}

export interface RateChoice {
  /** The rate of each variant: its own or the common one. */
  readonly rates: readonly number[];
  /** What each variant's own parabola says. */
  readonly own: readonly number[];
  /** The rate of all variants where they cannot be told apart; null where each has its own. */
  readonly common: number | null;
  /** The p-value of the analysis of variance of the minima, seed by seed; null where that cannot be made. */
  readonly p: number | null;
  /** The parabola of each variant, through its means; null where there is none. */
  readonly parabolas: readonly (Parabola | null)[];
}

/** Rates to each side of the best that the parabola is laid through. */
const REACH = 2;
/** The farthest that a minimum may lie from the best rate: half an octave. */
const FARTHEST = Math.LN2 / 2;
/** Below it the minima differ. */
const ALPHA = 0.05;
const DIGITS = 3;

/** The losses of one variant: a row for each rate, in rising order, a loss for each seed; infinite where a run diverged. */
export type TuningLosses = readonly (readonly number[])[];

/**
 * Chooses the rates of all variants.
 *
 * @param rates in rising order, three or more for a parabola
 * @param losses of each variant
 * @example chooseRates([1, 2, 4], [[[3], [2], [3]]]).rates // [2]
 */
export function chooseRates(rates: readonly number[], losses: readonly TuningLosses[]): RateChoice {
  const fits = losses.map((rows) => fit(rates, rows));
  const own = fits.map(({ minimum }) => rounded(minimum));
  const parabolas = fits.map(({ parabola }) => parabola);
  const p = differenceOfMinima(fits.map(({ minima }) => minima));
  const isCommon = p !== null && p >= ALPHA;
  if (!isCommon) return { rates: own, own, common: null, p, parabolas };
  const average = rates.map((_, r) => [meanOf(losses.map((rows) => meanOf(rows[r]!)))]);
  const common = rounded(fit(rates, average).minimum);
  return { rates: own.map(() => common), own, common, p, parabolas };
}

/**
 * What a variant's loss is at a rate, as its tuning runs say: the parabola's value, or, without one, that of the straight line
 * between its neighbours in the logarithm of the rate.
 */
export function lossAtRate(
  rates: readonly number[],
  rows: TuningLosses,
  parabola: Parabola | null,
  rate: number,
): number {
  if (parabola !== null) {
    const { centre, level, slope, curvature } = parabola;
    const x = Math.log(rate / centre);
    return level + slope * x + curvature * x * x;
  }
  const means = rows.map(meanOf);
  const next = Math.min(rates.length - 1, Math.max(1, rates.findIndex((each) => each >= rate) || 1));
  const [low, high] = [rates[next - 1]!, rates[next]!];
  const share = Math.min(1, Math.max(0, Math.log(rate / low) / Math.log(high / low)));
  if (share === 0) return means[next - 1]!;
  if (share === 1) return means[next]!;
  return means[next - 1]! + share * (means[next]! - means[next - 1]!);
}

interface Fit {
  readonly minimum: number;
  readonly parabola: Parabola | null;
  /** The minimum of each seed in the logarithm of the rate: its own slope with the curvature of the means; null without a parabola. */
  readonly minima: readonly number[] | null;
}

function fit(rates: readonly number[], rows: TuningLosses): Fit {
  const means = rows.map(meanOf);
  const best = means.indexOf(Math.min(...means));
  const centre = rates[best]!;
  const [low, high] = [reach(means, best, -1), reach(means, best, 1)];
  const without: Fit = { minimum: centre, parabola: null, minima: null };
  if (low === best || high === best) return without;
  const x = rates.slice(low, high + 1).map((rate) => Math.log(rate / centre));
  const { level, slope, curvature } = leastSquares(x, means.slice(low, high + 1));
  if (!(curvature > 0)) return without;
  const minimumOf = (b: number): number => -b / (2 * curvature);
  const nearest = Math.min(FARTHEST, Math.max(-FARTHEST, minimumOf(slope)));
  const seeds = rows[0]!.map((_, s) => {
    const own = leastSquares(
      x,
      rows.slice(low, high + 1).map((row) => row[s]!),
    );
    return Math.log(centre) + minimumOf(own.slope);
  });
  return {
    minimum: centre * Math.exp(nearest),
    parabola: { centre, level, slope, curvature },
    minima: seeds,
  };
}

/** The index of the last rate to one side that the parabola takes in: no farther than a rate at which a run diverged. */
function reach(means: readonly number[], best: number, side: 1 | -1): number {
  let at = best;
  while (Math.abs(at - best) < REACH && Number.isFinite(means[at + side] ?? Number.NaN)) at += side;
  return at;
}

/** The p-value of the minima being one, variants in blocks of seeds; null where some variant has none, or there is nothing to compare. */
function differenceOfMinima(minima: readonly (readonly number[] | null)[]): number | null {
  const found = minima.flatMap((each) => (each === null ? [] : [each]));
  if (found.length < minima.length || found.length < 2 || found[0]!.length < 2) return null;
  return anova(found[0]!.map((_, s) => found.map((each) => each[s]!))).variants.p;
}

/** The parabola of least squares through three or more points. */
function leastSquares(
  x: readonly number[],
  y: readonly number[],
): { level: number; slope: number; curvature: number } {
  const power = (k: number): number => x.reduce((sum, each) => sum + each ** k, 0);
  const moment = (k: number): number => x.reduce((sum, each, i) => sum + each ** k * y[i]!, 0);
  const [s0, s1, s2, s3, s4] = [x.length, power(1), power(2), power(3), power(4)];
  const [t0, t1, t2] = [moment(0), moment(1), moment(2)];
  const determinant = (m: readonly number[]): number =>
    m[0]! * (m[4]! * m[8]! - m[5]! * m[7]!) -
    m[1]! * (m[3]! * m[8]! - m[5]! * m[6]!) +
    m[2]! * (m[3]! * m[7]! - m[4]! * m[6]!);
  const whole = determinant([s0, s1, s2, s1, s2, s3, s2, s3, s4]);
  return {
    level: determinant([t0, s1, s2, t1, s2, s3, t2, s3, s4]) / whole,
    slope: determinant([s0, t0, s2, s1, t1, s3, s2, t2, s4]) / whole,
    curvature: determinant([s0, s1, t0, s1, s2, t1, s2, s3, t2]) / whole,
  };
}

const rounded = (rate: number): number => Number(rate.toPrecision(DIGITS));
