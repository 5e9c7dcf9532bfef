// The answers to the primary questions in plain words: the verdict, the figures behind it, and how many seeds would tell more.
import type { Metric } from "../tasks/common/score.js";
import type { TaskKind } from "../tasks/registry.js";
import { grouped, signed } from "../words/format.js";
import type { Analysis, PrimaryComparison } from "./analysis.js";
import { outcomesOf, show, showInterval } from "./metric.js";

/** Below it no effect sizes are given, and no seeds that would be needed: the spread that they are made of is hardly known. */
export const FEWEST_SEEDS = 6;

/** One sentence or two for each primary question, decided by the primary outcome. */
export function describePrimary(analysis: Analysis | null, task: TaskKind): string[] {
  const [metric] = outcomesOf(task);
  const primary = analysis?.outcomes[0]?.primary ?? [];
  return primary.map((comparison) => answer(comparison, metric, analysis!.seeds.length));
}

function answer(comparison: PrimaryComparison, metric: Metric, seeds: number): string {
  const { variant, reference, verdict, means, percent, dunnett, equivalence, seedsNeeded } = comparison;
  const difference = signed(metric.scale * dunnett.difference, metric.digits);
  const share = percent === null ? "" : ` (${signed(percent, 1)}\u00a0%)`;
  const margin = show(metric, equivalence.margin);
  const isFew = seeds < FEWEST_SEEDS;
  const more = isFew
    ? ` With ${seeds} seeds this is a first look: give --seeds ${FEWEST_SEEDS} or more.`
    : verdict === "not distinguishable at this scale"
      ? ` For 80 % power, a difference of this size would take ${seedsText(seedsNeeded.forDifference)}, one of the margin's ${seedsText(seedsNeeded.forMargin)}.`
      : "";
  return (
    `${variant} against ${reference}: ${verdict}. ` +
    `Test ${metric.name} ${show(metric, means.variant)} against ${show(metric, means.reference)}, ` +
    `${difference} ${showInterval(metric, dunnett.interval)} ${metric.unit}${share} over ${seeds} seeds; ` +
    `Dunnett's ${pText(dunnett.p)}; within ±${margin} of each other: ${pText(equivalence.p)}.${more}`
  );
}

/** "p = 0.012", "p < 0.001", "p > 0.999". */
export const pText = (p: number): string =>
  p < 0.001 ? "p < 0.001" : p > 0.999 ? "p > 0.999" : `p = ${p.toFixed(3)}`;

/** "about 34 seeds". */
const seedsText = (n: number | null): string =>
  n === null ? "more than 100,000 seeds" : `about ${grouped(n)} seeds`;
