// The analysis that docs/method-first-edition.md lays down: primary questions with Dunnett's comparisons, all else exploratory with
// Benjamini and Hochberg's correction; equivalence, effect sizes, test-set noise and pairing for every comparison.
import type { Config } from "../config/types.js";
import { lossesOfText, type RunRecord } from "../records/record.js";
import type { Metric } from "../tasks/common/score.js";
import type { TestPart } from "../tasks/common/task.js";
import { type Anova, anova } from "./inference/anova.js";
import { benjaminiHochberg } from "./inference/benjamini-hochberg.js";
import { bootstrapInterval, bootstrapMeans } from "./inference/bootstrap.js";
import { type DunnettComparison, dunnett } from "./inference/dunnett.js";
import { type Interval, meanOf, varianceOf } from "./inference/estimate.js";
import {
  type Equivalence,
  equivalence,
  type PairedTest,
  type Pairing,
  pairedTest,
  pairing,
} from "./inference/paired.js";
import { type EffectSize, effectSize, seedsNeeded } from "./inference/power.js";
import { outcomesOf } from "./metric.js";
import { baselineOf, blocksOf, countedAs, worstRun } from "./scores.js";

/** One variant against another on the same seeds; a difference is the variant's value minus the reference's. */
export interface Comparison {
  readonly variant: string;
  readonly reference: string;
  readonly means: { readonly variant: number; readonly reference: number };
  readonly difference: PairedTest;
  /** The mean difference in percent of the reference's mean; null where that is zero. */
  readonly percent: number | null;
  readonly effect: EffectSize;
  readonly equivalence: Equivalence;
  readonly pairing: Pairing;
  /** Seeds for 80 % power: to find a difference of the size observed, and one of the margin's; null where 100,000 are too few. */
  readonly seedsNeeded: { readonly forDifference: number | null; readonly forMargin: number | null };
  /** The 95 % interval of the difference that includes the choice of the test data; null for scores that are no losses. */
  readonly withTestNoise: Interval | null;
}

export type Verdict =
  | "better"
  | "worse"
  | "better, by less than the margin"
  | "worse, by less than the margin"
  | "equivalent within the margin"
  | "not distinguishable at this scale";

export interface PrimaryComparison extends Comparison {
  readonly dunnett: DunnettComparison;
  readonly verdict: Verdict;
}

export interface ExploratoryComparison extends Comparison {
  /** The p-value of the paired t-test, corrected for all exploratory comparisons of this outcome. */
  readonly adjustedP: number;
}

export interface OutcomeAnalysis {
  /** The name of the metric. */
  readonly outcome: string;
  /** What the primary questions are decided by; the others stand beside it. */
  readonly role: "primary" | "secondary";
  readonly anova: Anova;
  readonly primary: readonly PrimaryComparison[];
  readonly exploratory: readonly ExploratoryComparison[];
}

export interface Analysis {
  /** Seeds that all variants have a record of: the blocks. */
  readonly seeds: readonly number[];
  /** Seeds left out because a run is missing. */
  readonly incomplete: readonly number[];
  /** Runs that diverged, each counted as the worst finished run of the sweep. */
  readonly diverged: readonly { readonly variant: string; readonly seed: number }[];
  /** The primary outcome first. */
  readonly outcomes: readonly OutcomeAnalysis[];
}

/** What the primary questions are about, fixed in advance: SwiGLU against each of these. */
const SUBJECT = "swiglu";
const RIVALS: readonly string[] = ["swish", "glu"];

const ALPHA = 0.05;

/**
 * Analyses a sweep.
 *
 * @param part the test part: what its examples weigh and belong to
 * @returns null with fewer than two variants or three complete seeds, or when no run finished
 */
export function analyse(
  { task, variants, seeds }: Pick<Config, "task" | "variants" | "seeds">,
  records: readonly RunRecord[],
  part: TestPart,
): Analysis | null {
  const names = variants.map(({ name }) => name);
  const blocks = blocksOf(names, seeds, records);
  const [primary, ...secondary] = outcomesOf(task);
  const worst = worstRun(primary, records);
  if (names.length < 2 || blocks.seeds.length < 3 || worst === null) return null;
  const losses = names.map((_, v) =>
    blocks.rows.map((row) => lossesOfText(countedAs(row[v]!, worst).testLosses)),
  );
  const resampled = bootstrapMeans(losses, part);
  const units = Math.min(blocks.seeds.length, new Set(part.clusters).size);
  const testNoise = (a: string, b: string): Interval | null =>
    units < 2 ? null : bootstrapInterval(resampled[names.indexOf(a)]!, resampled[names.indexOf(b)]!, units);
  const outcome = (metric: Metric): OutcomeAnalysis => {
    const lowest = worstRun(metric, records)!;
    const table = blocks.rows.map((row) => row.map((record) => metric.of(countedAs(record, lowest).test)));
    return metric === primary
      ? analyseOutcome(metric, "primary", names, table, testNoise)
      : analyseOutcome(metric, "secondary", names, table, () => null);
  };
  return {
    seeds: blocks.seeds,
    incomplete: blocks.incomplete,
    diverged: blocks.diverged.map(({ variant, seed }) => ({ variant, seed })),
    outcomes: [primary, ...secondary].map(outcome),
  };
}

function analyseOutcome(
  metric: Metric,
  role: OutcomeAnalysis["role"],
  names: readonly string[],
  table: readonly (readonly number[])[],
  testNoise: (a: string, b: string) => Interval | null,
): OutcomeAnalysis {
  const variance = anova(table);
  const valuesOf = (name: string): number[] => table.map((row) => row[names.indexOf(name)]!);
  const between = ([variant, reference]: Pair): Comparison => ({
    variant,
    reference,
    ...compare(metric, valuesOf(variant), valuesOf(reference)),
    withTestNoise: testNoise(variant, reference),
  });
  const questions = names.includes(SUBJECT) ? RIVALS.filter((name) => names.includes(name)) : [];
  const primary = questions.map((rival) => between([SUBJECT, rival]));
  const others = exploratoryPairs(names, questions).map(between);
  const family = dunnett(
    primary.map(({ difference }) => difference.mean),
    Math.sqrt((2 * variance.residual.meanSquare) / table.length),
    variance.residual.df,
  );
  const adjusted = benjaminiHochberg(others.map(({ difference }) => difference.p));
  return {
    outcome: metric.name,
    role,
    anova: variance,
    primary: primary.map((comparison, i) => ({
      ...comparison,
      dunnett: family[i]!,
      verdict: verdictOf(family[i]!, comparison.equivalence, metric.higherIsBetter),
    })),
    exploratory: others.map((comparison, i) => ({ ...comparison, adjustedP: adjusted[i]! })),
  };
}

type Pair = readonly [variant: string, reference: string];

/** Every variant against the baseline and against swiglu, each pair once, without the primary ones. */
function exploratoryPairs(names: readonly string[], questions: readonly string[]): Pair[] {
  const baseline = baselineOf(names);
  const toBaseline = names.filter((name) => name !== baseline).map((name): Pair => [name, baseline]);
  const toSubject = names
    .filter((name) => name !== SUBJECT && name !== baseline)
    .map((name): Pair => [name, SUBJECT]);
  const isPrimary = ([a, b]: Pair): boolean =>
    (a === SUBJECT && questions.includes(b)) || (b === SUBJECT && questions.includes(a));
  const all = names.includes(SUBJECT) && baseline !== SUBJECT ? [...toBaseline, ...toSubject] : toBaseline;
  return all.filter((pair) => !isPrimary(pair));
}

function compare(metric: Metric, a: readonly number[], b: readonly number[]) {
  const differences = a.map((value, i) => value - b[i]!);
  const difference = pairedTest(differences);
  const means = { variant: meanOf(a), reference: meanOf(b) };
  const margin = metric.margin(means.reference);
  const sd = Math.sqrt(varianceOf(differences));
  return {
    means,
    difference,
    percent: means.reference === 0 ? null : (100 * difference.mean) / means.reference,
    effect: effectSize(a, b),
    equivalence: equivalence(differences, margin),
    pairing: pairing(a, b),
    seedsNeeded: {
      forDifference: seedsNeeded(difference.mean, sd),
      forMargin: seedsNeeded(margin, sd),
    },
  };
}

/**
 * The rule for the words. Dunnett's p below 0.05: better or worse, by less than the margin where the equivalence test says so
 * too. Otherwise equivalent where that test says so, or else not distinguishable.
 */
function verdictOf(
  { difference, p }: DunnettComparison,
  { equivalent }: Equivalence,
  higherIsBetter: boolean,
): Verdict {
  if (p < ALPHA) {
    const word = difference > 0 === higherIsBetter ? "better" : "worse";
    return equivalent ? `${word}, by less than the margin` : word;
  }
  return equivalent ? "equivalent within the margin" : "not distinguishable at this scale";
}
