// The numbers that several parts of the document need: scores by variant, and swiglu against each of the others.
import type { OutcomeAnalysis, PrimaryComparison } from "../statistics/analysis.js";
import { type Interval, meanOf } from "../statistics/inference/estimate.js";
import { outcomesOf } from "../statistics/metric.js";
import { blocksOf, countedAs, worstRun } from "../statistics/scores.js";
import type { Metric } from "../tasks/common/score.js";
import type { Evidence } from "./types.js";

/** What the primary questions are about. */
export const SUBJECT = "swiglu";

export const primaryMetric = ({ config }: Evidence): Metric => outcomesOf(config.task)[0];

/** The test scores of every variant, seed by seed, as they count in comparisons, the lowest mean loss first. */
export function scoresOf({ config, records }: Evidence, metric: Metric): Map<string, readonly number[]> {
  const names = config.variants.map(({ name }) => name);
  const { rows } = blocksOf(names, config.seeds, records);
  const table = (by: Metric): Map<string, number[]> => {
    const worst = worstRun(by, records)!;
    return new Map(names.map((name, v) => [name, rows.map((row) => by.of(countedAs(row[v]!, worst).test))]));
  };
  const losses = table(outcomesOf(config.task)[0]);
  const scores = table(metric);
  const order = names.toSorted((a, b) => meanOf(losses.get(a)!) - meanOf(losses.get(b)!));
  return new Map(order.map((name) => [name, scores.get(name)!]));
}

/** swiglu minus another variant. */
export interface Against {
  readonly mean: number;
  /** The 95 % t-interval of pairs. */
  readonly interval: Interval;
  /** Where that is a primary question. */
  readonly primary?: PrimaryComparison;
  /** Where it is not. */
  readonly adjustedP?: number;
}

/** undefined for swiglu itself. */
export function againstSubject(outcome: OutcomeAnalysis, name: string): Against | undefined {
  const primary = outcome.primary.find(({ reference }) => reference === name);
  if (primary !== undefined) return { ...primary.difference, primary };
  for (const { variant, reference, difference, adjustedP } of outcome.exploratory) {
    const { mean, interval } = difference;
    if (variant === SUBJECT && reference === name) return { mean, interval, adjustedP };
    if (variant === name && reference === SUBJECT)
      return { mean: -mean, interval: { low: -interval.high, high: -interval.low }, adjustedP };
  }
  return undefined;
}
