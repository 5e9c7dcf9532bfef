// The tables that a sweep prints: matched parameters, every run, and the ranking.
import { targetParameters } from "../config/matching.js";
import type { Config } from "../config/types.js";
import type { RunRecord } from "../records/record.js";
import type { Matched } from "../statistics/matched.js";
import { outcomesOf, show, showDifference, showEstimate } from "../statistics/metric.js";
import type { Summary } from "../statistics/summary.js";
import type { Tuning } from "../statistics/tuning.js";
import type { TaskKind } from "../tasks/registry.js";
import { grouped, signed } from "../words/format.js";
import { table } from "./table.js";

/** Hidden width and feed-forward parameters per block of every variant, against the target. */
export function parameterTable(config: Config): string {
  const target = targetParameters(config.width);
  return table(
    ["variant", "hidden width", "FFN parameters per block", "against relu"],
    config.variants.map(({ name, hidden, feedForwardParameters }) => [
      name,
      grouped(hidden),
      grouped(feedForwardParameters),
      `${signed(100 * (feedForwardParameters / target - 1), 2)} %`,
    ]),
  );
}

/** Mean validation loss of every variant at every rate, and the rate that was best. */
export const tuningTable = (tuning: Tuning): string => table(tuningHead(tuning), tuningCells(tuning));

export const tuningHead = ({ rates }: Tuning): string[] => ["variant", ...rates.map(String), "best"];

/** A line for each variant, under `tuningHead`, in the terminal and in the report. */
export const tuningCells = ({ variants }: Tuning): string[][] =>
  variants.map(({ name, losses, best, isAtEdge }) => [
    name,
    ...losses.map((loss) => (loss === null ? "diverged" : loss.toFixed(4))),
    `${best}${isAtEdge ? " (edge)" : ""}`,
  ]);

/** What a step of every variant costs, and its validation loss where all have cost the same. */
export const matchedTable = (matched: Matched): string => table(matchedHead, matchedCells(matched));

export const matchedHead = [
  "variant",
  "GFLOP per step",
  "CPU ms per step",
  "validation loss at the end",
  "at equal FLOP",
  "at equal time",
];

/** A line for each variant, under `matchedHead`, in the terminal and in the report. */
export const matchedCells = ({ variants }: Matched): string[][] =>
  variants.map(({ name, flopsPerStep, cpuSecondsPerStep, ...losses }) => [
    name,
    (flopsPerStep / 1e9).toFixed(3),
    (1000 * cpuSecondsPerStep).toFixed(2),
    ...[losses.atEnd, losses.atEqualFlops, losses.atEqualTime].map((loss) =>
      loss === null ? "" : loss.mean.toFixed(4),
    ),
  ]);

/** Validation and test scores of every run. */
export const runTable = (records: readonly RunRecord[], task: TaskKind): string =>
  table(
    runHead(task),
    records.map((record) => runCells(record, task)),
  );

/** The head of a table of runs. */
export function runHead(task: TaskKind): string[] {
  const [metric, ...others] = outcomesOf(task);
  const scores = (part: string): string[] => [`${part} ${metric.name}`, ...others.map(({ name }) => name)];
  return ["variant", "seed", ...scores("validation"), ...scores("test"), "steps/s"];
}

/** What a run's line says, under `runHead`, in the terminal and in the report. */
export function runCells(record: RunRecord, task: TaskKind): string[] {
  const metrics = outcomesOf(task);
  const { variant, seed } = record;
  if (record.status === "diverged") {
    const blanks = Array.from({ length: 2 * metrics.length }, () => "");
    return [variant, `${seed}`, `diverged at step ${record.divergedAt}`, ...blanks];
  }
  const { validation, test, stepsPerSecond } = record;
  return [
    variant,
    `${seed}`,
    ...metrics.map((metric) => show(metric, metric.of(validation))),
    ...metrics.map((metric) => show(metric, metric.of(test))),
    stepsPerSecond.toFixed(1),
  ];
}

/** One line per variant, best mean of the test metric first. */
export function rankingTable({ ranking, baseline }: Summary, task: TaskKind): string {
  const [metric, ...others] = outcomesOf(task);
  const shortly = (i: number): ((value: number) => string) => {
    const { scale, digits } = others[i]!;
    return (value) => (scale * value).toFixed(Math.min(3, digits));
  };
  const cells = withoutEmptyColumns(
    [
      "",
      "variant",
      `test ${metric.name}`,
      `${metric.unit} against ${baseline}`,
      ...others.map(({ name }) => name),
      "validation",
      "FFN",
      "steps/s",
      "learned",
    ],
    ranking.map(
      ({ name, test, difference, validation, feedForwardParameters, stepsPerSecond, learned }, i) => [
        test === null ? "" : `${i + 1}`,
        name,
        test === null ? "diverged" : showEstimate(metric, test.metric),
        name === baseline ? "" : difference === null ? "" : showDifference(metric, difference.metric),
        ...others.map((_, k) => (test === null ? "" : shortly(k)(test.others[k]!.mean))),
        validation === null ? "" : showEstimate(metric, validation.metric),
        grouped(feedForwardParameters),
        stepsPerSecond === null ? "" : stepsPerSecond.toFixed(1),
        Object.entries(learned)
          .map(([parameter, { mean }]) => `${parameter} ${mean.toFixed(2)}`)
          .join(", "),
      ],
    ),
  );
  return table(cells.head, cells.rows);
}

/** A table without the columns that say nothing in any row. */
export function withoutEmptyColumns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): { head: string[]; rows: string[][] } {
  const isFull = (column: number): boolean => rows.some((row) => row[column] !== "");
  const kept = <T>(cells: readonly T[]): T[] => cells.filter((_, column) => isFull(column));
  return { head: kept(head), rows: rows.map(kept) };
}
