// What a study answers (docs/method.md, second edition): compute multipliers with intervals, verdicts that count where both parts of the
// data agree, and how multipliers change with length and size.
import tCdf from "@stdlib/stats-base-dists-t-cdf";
import tQuantile from "@stdlib/stats-base-dists-t-quantile";
import type { Interval } from "../statistics/inference/estimate.js";
import { holm } from "../statistics/inference/holm.js";
import { fallingCurve, slopeOf, stepsFor } from "../statistics/length-curve.js";
import {
  type Means,
  type Measured,
  type PartName,
  RESAMPLES,
  resampledMeans,
  sampleMeans,
} from "./bootstrap.js";
import { verdictLength } from "./lengths.js";
import { measuredAt } from "./measured.js";
import type { CellRecord, StudyRecord } from "./types.js";

/** The primary questions, in their order: one against another. */
const QUESTIONS: readonly (readonly [subject: string, rival: string])[] = [
  ["swiglu", "swish"],
  ["swiglu", "glu"],
  ["swigluBlend-trained", "selfGlu"],
  ["swigluBlend-trained", "swish-trained"],
];

/** Compute multipliers within 5 % of 1 count as the same. */
export const MARGIN = 1.05;
const ALPHA = 0.05;

export type Word =
  | "better"
  | "worse"
  | "better, by less than the margin"
  | "worse, by less than the margin"
  | "the same within the margin"
  | "open";

/** A value with what the bootstrap says of it: t of n - 1 degrees of freedom, times its standard error. */
export interface Judged {
  readonly value: number;
  readonly standardError: number;
  readonly interval: Interval;
  /** Two-sided, uncorrected: of the value being zero. */
  readonly p: number;
}

export interface PartAnswer {
  /** Mean losses in nats. */
  readonly losses: { readonly subject: number; readonly rival: number };
  /** Subject minus rival, in nats. */
  readonly difference: Judged;
  /** The natural logarithm of the compute multiplier; null where there is one length only. */
  readonly multiplier: Judged | null;
  /** Where the multiplier lies beyond what the curve is followed to. */
  readonly bound: "more" | "fewer" | null;
  /** Whether the 90 % interval lies within the margin. */
  readonly isWithinMargin: boolean;
}

interface LengthAnswer {
  readonly length: number;
  readonly steps: number;
  readonly seeds: number;
  readonly parts: Readonly<Record<PartName, PartAnswer>>;
}

export interface Answer {
  readonly subject: string;
  readonly rival: string;
  readonly isPrimary: boolean;
  readonly lengths: readonly LengthAnswer[];
  /** At the verdict length; null for what is not primary, and with one length. */
  readonly verdict: Verdict | null;
  /** The slope of the logarithm of the multiplier over that of the steps: test part, all lengths but the longest; null below two of them. */
  readonly trend: Judged | null;
}

export interface Verdict {
  readonly length: number;
  readonly adjustedP: Readonly<Record<PartName, number>>;
  readonly words: Readonly<Record<PartName, Word>>;
  /** What both parts say; null where they differ. */
  readonly agreed: Word | null;
}

interface WidthAnalysis {
  readonly width: number;
  readonly parameters: number;
  readonly answers: readonly Answer[];
  /** Seeds left out because a run is missing, and runs that diverged, in words. */
  readonly gaps: readonly string[];
}

export interface StudyAnalysis {
  readonly widths: readonly WidthAnalysis[];
  /** For each primary question, with several widths: the slope of the logarithm of the multiplier at the verdict length over that of the parameters. */
  readonly slopes: readonly {
    readonly subject: string;
    readonly rival: string;
    readonly slope: Readonly<Record<PartName, Judged>>;
  }[];
}

const PARTS: readonly PartName[] = ["validation", "test"];

/**
 * Analyses what is finished of a study.
 *
 * @returns widths without a finished length are missing; so is the validation part's noise where a record has no losses by group
 */
export function analyseStudy(study: StudyRecord, resamples = RESAMPLES): StudyAnalysis {
  const measured = study.widths.flatMap((width) => measuredAt(study, width) ?? []);
  const pairs = pairsOf(study.variants);
  const verdictAt = verdictLength(study.lengths);
  const analysed = measured.map((each) => {
    const lengths = each.cells.map(({ length }) => length);
    const draws: Draws[] = pairs.map(() => []);
    const estimates = pairs.map((pair) =>
      statisticsOf(pair, study.variants, sampleMeans(each.data), each.data),
    );
    for (const means of resampledMeans(each.data, { resamples })) {
      for (const [q, pair] of pairs.entries())
        draws[q]!.push(statisticsOf(pair, study.variants, means, each.data));
    }
    return { ...each, lengths, draws, estimates };
  });
  const widths = analysed.map(({ width, parameters, gaps, cells, data, draws, estimates }): WidthAnalysis => {
    const answers = pairs.map((pair, q) => answerOf(pair, cells, data, estimates[q]!, draws[q]!));
    return { width, parameters, gaps, answers: withVerdicts(answers, verdictAt) };
  });
  const whole = analysed.filter(({ lengths }) => lengths.includes(verdictAt) && lengths.length > 1);
  const slopes =
    whole.length < 2
      ? []
      : pairs.flatMap(([subject, rival, isPrimary], q) => {
          if (!isPrimary) return [];
          const x = whole.map(({ parameters }) => Math.log(parameters));
          const n = Math.min(...whole.map(({ data }) => fewestSeeds(data)));
          const at = (part: PartName): Judged => {
            const ofAll = (pick: (w: (typeof whole)[number]) => Statistics): number =>
              slopeOf(
                x,
                whole.map((each) => pick(each)[part][each.lengths.indexOf(verdictAt)]!.logMultiplier),
              );
            const drawn = Array.from({ length: resamples }, (_, i) => ofAll(({ draws }) => draws[q]![i]!));
            return judge(
              ofAll(({ estimates }) => estimates[q]!),
              drawn,
              n,
            );
          };
          return [{ subject, rival, slope: { validation: at("validation"), test: at("test") } }];
        });
  return { widths, slopes };
}

type Pair = readonly [subject: string, rival: string, isPrimary: boolean];

/** The primary questions that the variants allow; without any, the first variant against each other one, exploratory. */
function pairsOf(variants: readonly string[]): Pair[] {
  const primary = QUESTIONS.filter((pair) => pair.every((name) => variants.includes(name)));
  const subject = variants.includes("swiglu") ? "swiglu" : variants[0]!;
  const others = variants
    .filter((name) => name !== subject && !primary.some(([a, b]) => a === subject && b === name))
    .map((name): Pair => [subject, name, false]);
  return [...primary.map(([a, b]): Pair => [a, b, true]), ...others];
}

interface LengthStatistics {
  readonly subject: number;
  readonly rival: number;
  /** NaN with one length. */
  readonly logMultiplier: number;
  readonly bound: "more" | "fewer" | null;
}
type Statistics = Readonly<Record<PartName, readonly LengthStatistics[]>>;
type Draws = Statistics[];

function statisticsOf(
  [a, b]: Pair,
  variants: readonly string[],
  means: Means,
  { lengths }: Measured,
): Statistics {
  const [subject, rival] = [variants.indexOf(a), variants.indexOf(b)];
  const of = (part: PartName): LengthStatistics[] => {
    const curve = fallingCurve(lengths.map(({ steps }, l) => ({ steps, loss: means[part][l]![rival]! })));
    return lengths.map(({ steps }, l) => {
      const losses = { subject: means[part][l]![subject]!, rival: means[part][l]![rival]! };
      if (lengths.length < 2) return { ...losses, logMultiplier: Number.NaN, bound: null };
      const { logSteps, bound } = stepsFor(curve, losses.subject);
      return { ...losses, logMultiplier: logSteps - Math.log(steps), bound };
    });
  };
  return { validation: of("validation"), test: of("test") };
}

function answerOf(
  [subject, rival, isPrimary]: Pair,
  cells: readonly CellRecord[],
  { lengths }: Measured,
  estimates: Statistics,
  draws: Draws,
): Answer {
  const answers = lengths.map(({ steps, seeds }, l): LengthAnswer => {
    const n = seeds.length;
    const part = (name: PartName): PartAnswer => {
      const own = estimates[name][l]!;
      const differences = draws.map((each) => each[name][l]!.subject - each[name][l]!.rival);
      const multipliers = draws.map((each) => each[name][l]!.logMultiplier);
      const multiplier = lengths.length < 2 ? null : judge(own.logMultiplier, multipliers, n);
      return {
        losses: { subject: own.subject, rival: own.rival },
        difference: judge(own.subject - own.rival, differences, n),
        multiplier,
        bound: own.bound,
        isWithinMargin: multiplier !== null && isWithin(multiplier, n),
      };
    };
    return {
      length: cells[l]!.length,
      steps,
      seeds: n,
      parts: { validation: part("validation"), test: part("test") },
    };
  });
  const shorter = lengths.slice(0, -1).map(({ steps }) => Math.log(steps));
  const slope = (each: Statistics): number =>
    slopeOf(
      shorter,
      each.test.slice(0, -1).map(({ logMultiplier }) => logMultiplier),
    );
  const n = fewestSeeds({ lengths });
  const trend = shorter.length < 2 ? null : judge(slope(estimates), draws.map(slope), n);
  return { subject, rival, isPrimary, lengths: answers, verdict: null, trend };
}

/** Holm over the primary questions of a part; a word for each part; what both say. */
function withVerdicts(answers: readonly Answer[], length: number): Answer[] {
  const at = (answer: Answer): LengthAnswer | undefined =>
    answer.lengths.find((each) => each.length === length);
  const asked = answers.filter(
    (answer) => answer.isPrimary && at(answer) !== undefined && at(answer)!.parts.test.multiplier !== null,
  );
  const adjusted = Object.fromEntries(
    PARTS.map((part) => [part, holm(asked.map((answer) => at(answer)!.parts[part].multiplier!.p))]),
  );
  return answers.map((answer) => {
    const q = asked.indexOf(answer);
    if (q < 0) return answer;
    const { parts } = at(answer)!;
    const p = { validation: adjusted.validation![q]!, test: adjusted.test![q]! };
    const words = { validation: wordOf(parts.validation, p.validation), test: wordOf(parts.test, p.test) };
    const agreed = words.validation === words.test ? words.test : null;
    return { ...answer, verdict: { length, adjustedP: p, words, agreed } };
  });
}

export function wordOf({ multiplier, isWithinMargin }: PartAnswer, adjustedP: number): Word {
  if (multiplier !== null && adjustedP < ALPHA) {
    const word = multiplier.value > 0 ? "better" : "worse";
    return isWithinMargin ? `${word}, by less than the margin` : word;
  }
  return isWithinMargin ? "the same within the margin" : "open";
}

/** The standard error is the resamples' standard deviation times sqrt(n / (n - 1)), n the counted seeds. */
function judge(value: number, draws: readonly number[], n: number): Judged {
  const mean = draws.reduce((sum, each) => sum + each, 0) / draws.length;
  const variance = draws.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (draws.length - 1);
  if (n < 2) {
    const interval = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
    return { value, standardError: Number.POSITIVE_INFINITY, interval, p: 1 };
  }
  const standardError = Math.sqrt((variance * n) / (n - 1));
  const half = tQuantile(0.975, n - 1) * standardError;
  const p = standardError === 0 ? (value === 0 ? 1 : 0) : 2 * tCdf(-Math.abs(value) / standardError, n - 1);
  return { value, standardError, interval: { low: value - half, high: value + half }, p };
}

const isWithin = ({ value, standardError }: Judged, n: number): boolean =>
  n > 1 && Math.abs(value) + tQuantile(0.95, n - 1) * standardError < Math.log(MARGIN);

const fewestSeeds = ({ lengths }: Pick<Measured, "lengths">): number =>
  Math.min(...lengths.map(({ seeds }) => seeds.length));
