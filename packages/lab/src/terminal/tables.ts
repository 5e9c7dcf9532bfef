// The tables that a sweep prints: matched parameters, every run, and the ranking.
import type { Config } from "../config/config.js";
import { targetParameters } from "../config/matching.js";
import type { Summary } from "../statistics/summary.js";
import type { RunRecord } from "../sweep/record.js";
import { grouped, percent, percentEstimate, pointsEstimate, signed } from "./format.js";
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

/** Validation and test scores of every run. */
export const runTable = (records: readonly RunRecord[]): string => table(runHead, records.map(runCells));

export const runHead = ["variant", "seed", "validation", "loss", "test", "loss", "steps/s"] as const;

/** What a run's line says, under `runHead`, in the terminal and in the report. */
export function runCells(record: RunRecord): string[] {
  const { variant, seed } = record;
  if (record.status === "diverged") {
    return [variant, `${seed}`, `diverged at step ${record.divergedAt}`, "", "", "", ""];
  }
  const { validation, test, stepsPerSecond } = record;
  return [
    variant,
    `${seed}`,
    percent(validation.accuracy),
    validation.loss.toFixed(4),
    percent(test.accuracy),
    test.loss.toFixed(4),
    stepsPerSecond.toFixed(1),
  ];
}

/** One line per variant, best mean test accuracy first. */
export function rankingTable({ ranking, baseline }: Summary): string {
  return table(
    [
      "",
      "variant",
      "test",
      `points against ${baseline}`,
      "loss",
      "validation",
      "loss",
      "FFN",
      "steps/s",
      "learned",
    ],
    ranking.map(
      ({ name, test, difference, validation, feedForwardParameters, stepsPerSecond, learned }, i) => [
        test === null ? "" : `${i + 1}`,
        name,
        test === null ? "diverged" : percentEstimate(test.accuracy),
        name === baseline ? "" : difference === null ? "" : pointsEstimate(difference.accuracy),
        test === null ? "" : test.loss.mean.toFixed(3),
        validation === null ? "" : percentEstimate(validation.accuracy),
        validation === null ? "" : validation.loss.mean.toFixed(3),
        grouped(feedForwardParameters),
        stepsPerSecond === null ? "" : stepsPerSecond.toFixed(1),
        Object.entries(learned)
          .map(([parameter, { mean }]) => `${parameter} ${mean.toFixed(2)}`)
          .join(", "),
      ],
    ),
  );
}
