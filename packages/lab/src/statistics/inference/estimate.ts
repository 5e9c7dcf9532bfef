// Means with t-intervals: the arithmetic that says how far a few seeds can be trusted.
import tQuantile from "@stdlib/stats-base-dists-t-quantile";

export interface Estimate {
  readonly n: number;
  readonly mean: number;
  /** Half the width of the two-sided t-interval; null with fewer than 3 values, which say too little about their spread. */
  readonly half: number | null;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Mean and t-interval: mean +- t(n - 1) s / sqrt(n).
 *
 * @param values at least one
 * @param confidence of the two-sided interval
 * @example estimate([1, 2, 3]) // { n: 3, mean: 2, half: 2.484 }
 */
export function estimate(values: readonly number[], confidence = 0.95): Estimate {
  const n = values.length;
  const mean = meanOf(values);
  if (n < 3) return { n, mean, half: null };
  return { n, mean, half: tQuantile((1 + confidence) / 2, n - 1) * Math.sqrt(varianceOf(values) / n) };
}

/** The interval of an estimate of three or more values. */
export const intervalOf = ({ mean, half }: Estimate): Interval => ({
  low: mean - (half ?? Infinity),
  high: mean + (half ?? Infinity),
});

/** Whether the interval lies wholly on one side of zero; false when there is no interval. */
export function excludesZero({ mean, half }: Estimate): boolean {
  return half !== null && Math.abs(mean) > half;
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The unbiased variance of a sample of two or more. */
export function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
