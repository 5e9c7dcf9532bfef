// From the records of a sweep to its ranking: estimates per variant, and differences to the baseline seed by seed.
import type { Config } from "../config/types.js";
import type { DivergedRun, FinishedRun, RunRecord } from "../records/record.js";
import type { Metric, Score } from "../tasks/common/score.js";
import { type Estimate, estimate, median } from "./inference/estimate.js";
import { isBetter, metricOf, outcomesOf } from "./metric.js";
import { baselineOf, countedAs, worstRun } from "./scores.js";

interface ScoreEstimate {
  /** The metric that ranks the task's variants, as `metricOf(task)` names it. */
  readonly metric: Estimate;
  /** The task's other metrics, in the order of `outcomesOf(task)`. */
  readonly others: readonly Estimate[];
}

/**
 * This variant minus the baseline on the same seeds: same batches, same initial weights outside the FFN. A run that diverged
 * counts as the worst finished run of the sweep.
 */
interface Difference {
  readonly metric: Estimate;
  /** The differences of the metric, seed by seed. */
  readonly values: readonly number[];
}

export interface VariantSummary {
  readonly name: string;
  readonly hidden: number;
  readonly feedForwardParameters: number;
  readonly finished: readonly FinishedRun[];
  readonly diverged: readonly DivergedRun[];
  /** null when no run finished. */
  readonly validation: ScoreEstimate | null;
  readonly test: ScoreEstimate | null;
  /** On the test part; null for the baseline itself, and where no run of one of them finished. */
  readonly difference: Difference | null;
  /** Median over the runs. */
  readonly stepsPerSecond: number | null;
  /** Mean over seeds and blocks, and the extremes, of each trained activation parameter. */
  readonly learned: Readonly<
    Record<string, { readonly mean: number; readonly min: number; readonly max: number }>
  >;
}

export interface Summary {
  /** What the differences are taken to, as `baselineOf` names it. */
  readonly baseline: string;
  /** By the mean of the test metric, best first (equal ones by the next metric); variants without a finished run last. */
  readonly ranking: readonly VariantSummary[];
  /** The finished run of the best validation metric (equal ones: lowest validation loss). */
  readonly best: FinishedRun | null;
  /** Runs of the configuration without a record: failed, or not yet done. */
  readonly missing: number;
}

/** Summarises the records of a configuration. */
export function summarise(config: Config, records: readonly RunRecord[]): Summary {
  const names = config.variants.map(({ name }) => name);
  const metric = metricOf(config.task);
  const estimateScores = (scores: readonly Score[]): ScoreEstimate | null => {
    const [first, ...others] = outcomesOf(config.task).map((each) => scores.map((score) => each.of(score)));
    return scores.length === 0 ? null : { metric: estimate(first!), others: others.map((o) => estimate(o)) };
  };
  const baseline = baselineOf(names);
  const finished = records.filter((record) => record.status === "finished");
  const runsOf = (name: string): FinishedRun[] => finished.filter(({ variant }) => variant === name);
  const worst = worstRun(metric, records);
  const difference = (name: string): Difference | null => {
    if (name === baseline || worst === null || [name, baseline].some((each) => runsOf(each).length === 0))
      return null;
    const scoreOf = (variant: string, seed: number): number | undefined => {
      const record = records.find((each) => each.variant === variant && each.seed === seed);
      return record && metric.of(countedAs(record, worst).test);
    };
    const values = config.seeds.flatMap((seed) => {
      const [own, other] = [scoreOf(name, seed), scoreOf(baseline, seed)];
      return own === undefined || other === undefined ? [] : [own - other];
    });
    return values.length === 0 ? null : { metric: estimate(values), values };
  };
  const ranking = config.variants.map(({ name, hidden, feedForwardParameters }): VariantSummary => {
    const runs = runsOf(name);
    return {
      name,
      hidden,
      feedForwardParameters,
      finished: runs,
      diverged: records
        .filter((record) => record.status === "diverged")
        .filter(({ variant }) => variant === name),
      validation: estimateScores(runs.map((run) => run.validation)),
      test: estimateScores(runs.map((run) => run.test)),
      difference: difference(name),
      stepsPerSecond: runs.length === 0 ? null : median(runs.map((run) => run.stepsPerSecond)),
      learned: learnedValues(runs),
    };
  });
  ranking.sort((a, b) => compareScores(outcomesOf(config.task), b.test, a.test));
  return {
    baseline,
    ranking,
    best: bestRun(config, records),
    missing: names.length * config.seeds.length - records.length,
  };
}

/** The finished run with the best validation score; null where none finished. */
export function bestRun({ task }: Config, records: readonly RunRecord[]): FinishedRun | null {
  const metric = metricOf(task);
  return records
    .filter((record) => record.status === "finished")
    .reduce<FinishedRun | null>(
      (leader, run) =>
        leader === null || isBetter(metric, run.validation, leader.validation) ? run : leader,
      null,
    );
}

function learnedValues(runs: readonly FinishedRun[]): VariantSummary["learned"] {
  const names = new Set(runs.flatMap(({ learned }) => Object.keys(learned)));
  return Object.fromEntries(
    [...names].map((name) => {
      const values = runs.flatMap(({ learned }) => (Object.hasOwn(learned, name) ? learned[name]! : []));
      return [name, { mean: estimate(values).mean, min: Math.min(...values), max: Math.max(...values) }];
    }),
  );
}

/** Above 0 where `a` is better: by the mean of the ranking metric, equal ones by the next. */
function compareScores(
  [first, ...others]: readonly Metric[],
  a: ScoreEstimate | null,
  b: ScoreEstimate | null,
): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  const sign = (metric: Metric | undefined): number => (metric?.higherIsBetter ? 1 : -1);
  return (
    sign(first) * (a.metric.mean - b.metric.mean) ||
    sign(others[0]) * ((a.others[0]?.mean ?? 0) - (b.others[0]?.mean ?? 0))
  );
}
