// The test scores of a sweep as a table of seeds and variants, in which runs that diverged count as losses.
import type { DivergedRun, FinishedRun, RunRecord } from "../records/record.js";
import type { Metric } from "../tasks/common/score.js";

/** What a sweep's variants are compared with first: relu, or the first variant where relu is not among them. */
export const baselineOf = (names: readonly string[]): string => (names.includes("relu") ? "relu" : names[0]!);

/** The finished run of the worst test score; null when none finished. */
export function worstRun(metric: Metric, records: readonly RunRecord[]): FinishedRun | null {
  const value = (run: FinishedRun): number => (metric.higherIsBetter ? 1 : -1) * metric.of(run.test);
  return records
    .filter((record) => record.status === "finished")
    .reduce<FinishedRun | null>(
      (worst, run) => (worst === null || value(run) < value(worst) ? run : worst),
      null,
    );
}

/** What a run counts as in comparisons: itself, or the worst run of the sweep when it diverged. */
export const countedAs = (record: RunRecord, worst: FinishedRun): FinishedRun =>
  record.status === "finished" ? record : worst;

export interface Blocks {
  /** Seeds for which every variant has a record. */
  readonly seeds: readonly number[];
  /** Seeds that lack one. */
  readonly incomplete: readonly number[];
  /** Runs of `seeds` that diverged. */
  readonly diverged: readonly DivergedRun[];
  /** One row per seed of `seeds`, one record per variant, in the order of the variants. */
  readonly rows: readonly (readonly RunRecord[])[];
}

/** Arranges records by seed and variant. */
export function blocksOf(
  variants: readonly string[],
  seeds: readonly number[],
  records: readonly RunRecord[],
): Blocks {
  const rows = seeds.map((seed) =>
    variants.flatMap(
      (name) => records.find((record) => record.seed === seed && record.variant === name) ?? [],
    ),
  );
  const isComplete = (_: unknown, i: number): boolean => rows[i]!.length === variants.length;
  const complete = rows.filter(isComplete);
  return {
    seeds: seeds.filter(isComplete),
    incomplete: seeds.filter((seed, i) => !isComplete(seed, i)),
    diverged: complete.flat().filter((record) => record.status === "diverged"),
    rows: complete,
  };
}
