// The noncentral t distribution, and what follows from it: standardised effects with intervals, and how many seeds a question needs.
import normalCdf from "@stdlib/stats-base-dists-normal-cdf";
import tQuantile from "@stdlib/stats-base-dists-t-quantile";
import { type Interval, meanOf, varianceOf } from "./estimate.js";
import { expectation, root, scaledChi } from "./numerics.js";

/**
 * The chance that (Z + noncentrality) / S is at most t, with Z standard normal and S = sqrt(chi-squared(df) / df):
 * E over S of Phi(t S - noncentrality). (R: `pt(t, df, ncp)`.)
 */
export function noncentralTCdf(t: number, df: number, noncentrality: number): number {
  return expectation(scaledChi(df), (s) => normalCdf(t * s - noncentrality, 0, 1));
}

export interface EffectSize {
  /** Mean difference over the standard deviation of the differences, with Hedges' correction; null where they do not vary. */
  readonly dz: number | null;
  /** 95 %, from the noncentral t distribution. */
  readonly dzInterval: Interval | null;
  /** Mean difference over the root of the mean of both variances, with Hedges' correction; null where neither varies. */
  readonly dav: number | null;
}

/**
 * Standardised mean differences of pairs. d_z = mean / s(differences); its interval inverts the noncentral t distribution of
 * sqrt(n) d_z (Cumming and Finch 2001). d_av = mean / sqrt((s(a)^2 + s(b)^2) / 2) compares with effects of unpaired studies.
 * Both are multiplied by Hedges' (1981) exact correction for small n, J = 1 / E(1 / S) with S = sqrt(chi-squared(n - 1) / (n - 1)).
 *
 * @param a the variant's values, seed by seed, three or more
 * @param b the reference's
 * @example effectSize([2, 4, 6], [1, 2, 3]).dz // 1.13: 2 * J(2), J(2) = 0.564
 */
export function effectSize(a: readonly number[], b: readonly number[]): EffectSize {
  const n = a.length;
  const differences = a.map((value, i) => value - b[i]!);
  const mean = meanOf(differences);
  const rule = scaledChi(n - 1);
  const correction = 1 / expectation(rule, (s) => 1 / s);
  const over = (variance: number): number | null =>
    variance === 0 ? null : (correction * mean) / Math.sqrt(variance);
  const dz = over(varianceOf(differences));
  const dav = over((varianceOf(a) + varianceOf(b)) / 2);
  if (dz === null) return { dz, dzInterval: null, dav };
  const t = (Math.sqrt(n) * dz) / correction;
  const reach = 10 * Math.sqrt(1 + (t * t) / (2 * (n - 1)));
  const boundAt = (chance: number): number =>
    (correction / Math.sqrt(n)) *
    root(
      (noncentrality) => expectation(rule, (s) => normalCdf(t * s - noncentrality, 0, 1)) - chance,
      t - reach,
      t + reach,
    );
  return { dz, dzInterval: { low: boundAt(0.975), high: boundAt(0.025) }, dav };
}

/**
 * The power of a two-sided paired t-test: the chance that it finds a true difference of `effect` standard deviations of the
 * differences. (R: `pwr::pwr.t.test(n, d, type = "paired")`.)
 */
export function powerOf(n: number, effect: number, alpha = 0.05): number {
  const critical = tQuantile(1 - alpha / 2, n - 1);
  const noncentrality = Math.sqrt(n) * Math.abs(effect);
  return expectation(
    scaledChi(n - 1),
    (s) => normalCdf(noncentrality - critical * s, 0, 1) + normalCdf(-critical * s - noncentrality, 0, 1),
  );
}

/** More seeds than this nobody trains. */
const MOST_SEEDS = 100_000;

/**
 * The fewest seeds with which a two-sided paired t-test at alpha 0.05 finds a true difference of this size with 80 % power.
 *
 * @param sd the standard deviation of the differences
 * @returns null where even 100,000 are too few
 * @example seedsNeeded(0.5, 1) // 34
 */
export function seedsNeeded(difference: number, sd: number, power = 0.8): number | null {
  if (difference === 0) return null;
  if (sd === 0) return 2;
  const isEnough = (n: number): boolean => powerOf(n, difference / sd) >= power;
  if (!isEnough(MOST_SEEDS)) return null;
  let [few, enough] = [1, 2];
  while (!isEnough(enough)) [few, enough] = [enough, Math.min(MOST_SEEDS, 2 * enough)];
  while (enough - few > 1) {
    const middle = Math.floor((few + enough) / 2);
    if (isEnough(middle)) enough = middle;
    else few = middle;
  }
  return enough;
}
