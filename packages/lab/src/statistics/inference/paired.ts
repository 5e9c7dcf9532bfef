// Two variants on the same seeds: paired t-test, equivalence within a margin, and what the pairing bought.
import tCdf from "@stdlib/stats-base-dists-t-cdf";
import { estimate, type Interval, intervalOf, meanOf, varianceOf } from "./estimate.js";

export interface PairedTest {
  readonly mean: number;
  /** The two-sided 95 % t-interval. */
  readonly interval: Interval;
  /** null where all differences are the same. */
  readonly t: number | null;
  readonly df: number;
  /** Two-sided. */
  readonly p: number;
}

/**
 * Student's paired t-test: t = mean / (s / sqrt(n)) with n - 1 degrees of freedom. (R: `t.test(a, b, paired = TRUE)`.)
 *
 * @param differences of the pairs, three or more
 * @example pairedTest([1, 2, 3]).p // 0.0742
 */
export function pairedTest(differences: readonly number[]): PairedTest {
  const summary = estimate(differences);
  const { t, p } = tTest(differences, 0);
  return {
    mean: summary.mean,
    interval: intervalOf(summary),
    t: Number.isFinite(t) ? t : null,
    df: summary.n - 1,
    p: 2 * Math.min(p, 1 - p),
  };
}

export interface Equivalence {
  readonly margin: number;
  /** The two-sided interval of confidence 1 - 2 alpha: equivalent where it lies within the margin. */
  readonly interval: Interval;
  /** The larger of the two one-sided p-values. */
  readonly p: number;
  readonly equivalent: boolean;
}

/**
 * Two one-sided paired t-tests (Schuirmann 1987): whether the true difference lies between -margin and +margin.
 *
 * @param margin above 0, in the unit of the differences
 * @param alpha of each test
 * @example equivalence([0.1, -0.1, 0.05, -0.05], 0.5).equivalent // true
 */
export function equivalence(differences: readonly number[], margin: number, alpha = 0.05): Equivalence {
  const above = 1 - tTest(differences, -margin).p;
  const below = tTest(differences, margin).p;
  const p = Math.max(above, below);
  return { margin, interval: intervalOf(estimate(differences, 1 - 2 * alpha)), p, equivalent: p < alpha };
}

/** The t statistic of a mean against a value, and the chance of a lower one. */
function tTest(values: readonly number[], against: number): { t: number; p: number } {
  const n = values.length;
  const gap = meanOf(values) - against;
  const error = Math.sqrt(varianceOf(values) / n);
  if (error === 0) return { t: Math.sign(gap) * Infinity, p: gap > 0 ? 1 : gap < 0 ? 0 : 0.5 };
  return { t: gap / error, p: tCdf(gap / error, n - 1) };
}

export interface Pairing {
  /** Pearson's, of the two variants over the seeds; null where one of them does not vary. */
  readonly correlation: number | null;
  /**
   * The variance of the differences over the sum of both variants' variances, which independent seeds would have given: below 1
   * pairing narrowed the interval. With equal variances 1 - correlation.
   */
  readonly varianceRatio: number | null;
}

/**
 * What training both variants on the same seeds did.
 *
 * @example pairing([1, 2, 3], [1.1, 2.1, 3.1]) // { correlation: 1, varianceRatio: 0 }
 */
export function pairing(a: readonly number[], b: readonly number[]): Pairing {
  const [varianceA, varianceB] = [varianceOf(a), varianceOf(b)];
  const differences = varianceOf(a.map((value, i) => value - b[i]!));
  if (varianceA === 0 || varianceB === 0)
    return {
      correlation: null,
      varianceRatio: varianceA + varianceB === 0 ? null : differences / (varianceA + varianceB),
    };
  const covariance = (varianceA + varianceB - differences) / 2;
  return {
    correlation: covariance / Math.sqrt(varianceA * varianceB),
    varianceRatio: differences / (varianceA + varianceB),
  };
}
