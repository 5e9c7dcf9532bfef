// Dunnett's comparisons of several variants with one control: p-values and intervals that hold for all of them together.
import normalCdf from "@stdlib/stats-base-dists-normal-cdf";
import type { Interval } from "./estimate.js";
import { expectation, type Rule, root, scaledChi } from "./numerics.js";

/** The half-range and step of the trapezoidal rule for a standard normal: exact to a double's precision. */
const [RANGE, STEP] = [9, 0.15];

/**
 * The chance that none of k statistics exceeds `bound` in size: |T(i)| <= bound for all i, where T(i) = (Z(i) - Z(0)) / (sqrt(2) S)
 * with independent standard normal Z and S = sqrt(chi-squared(df) / df). The multivariate t distribution whose correlations are
 * all 1/2, as several variants of equal n have that are compared with one control:
 *
 *     E over S, z of (Phi(z + sqrt(2) bound S) - Phi(z - sqrt(2) bound S))^k
 *
 * (Dunnett 1955, 1964.)
 *
 * @param k how many are compared with the control
 * @param df degrees of freedom of the variance
 * @example dunnettCdf(2.57, 2, 10) // 0.95
 */
export const dunnettCdf = (bound: number, k: number, df: number): number =>
  withinBound(bound, k, scaledChi(df));

/** The bound that the largest of k statistics stays within with this chance: Dunnett's two-sided critical value. */
export function dunnettQuantile(chance: number, k: number, df: number): number {
  const rule = scaledChi(df);
  let high = 4;
  while (withinBound(high, k, rule) < chance) high *= 2;
  return root((bound) => withinBound(bound, k, rule) - chance, 0, high);
}

function withinBound(bound: number, k: number, rule: Rule): number {
  return expectation(rule, (s) => {
    const reach = Math.SQRT2 * bound * s;
    let sum = 0;
    // The integrand is even in z.
    for (let z = 0; z < RANGE; z += STEP) {
      const inside = normalCdf(z + reach, 0, 1) - normalCdf(z - reach, 0, 1);
      sum += (z === 0 ? 1 : 2) * Math.exp(-0.5 * z * z) * inside ** k;
    }
    return (STEP * sum) / Math.sqrt(2 * Math.PI);
  });
}

export interface DunnettComparison {
  readonly difference: number;
  /** The interval of a difference. All true differences lie in their intervals together with the chance asked for. */
  readonly interval: Interval;
  /** Two-sided, adjusted: the chance that any of the statistics is as large as this one, when no variant differs. */
  readonly p: number;
}

/**
 * Compares k variants with one control in an analysis of variance with equal n.
 *
 * @param differences of the k means to the control's, or of the control's to them
 * @param standardError of each difference: sqrt(2 MS / n) with the residual mean square MS
 * @param df of that mean square
 * @example dunnett([-0.371, 0.494], 0.2788, 27).map(({ p }) => p) // [0.323, 0.154], R's PlantGrowth
 */
export function dunnett(
  differences: readonly number[],
  standardError: number,
  df: number,
  confidence = 0.95,
): DunnettComparison[] {
  const k = differences.length;
  const half = k === 0 ? 0 : standardError * dunnettQuantile(confidence, k, df);
  return differences.map((difference) => {
    const interval = { low: difference - half, high: difference + half };
    if (standardError === 0) return { difference, interval, p: difference === 0 ? 1 : 0 };
    const p = 1 - dunnettCdf(Math.abs(difference) / standardError, k, df);
    return { difference, interval, p: Math.min(1, Math.max(0, p)) };
  });
}
