// The tables of the evidence of one task.
import type { PrimaryComparison } from "../statistics/analysis.js";
import { estimate, type Interval } from "../statistics/inference/estimate.js";
import { outcomesOf, show, showEstimate, showInterval } from "../statistics/metric.js";
import { pText } from "../statistics/verdicts.js";
import type { Metric } from "../tasks/common/score.js";
import { grouped, signed } from "../words/format.js";
import { questionsOf } from "./presets.js";
import { againstSubject, primaryMetric, SUBJECT, scoresOf } from "./scores.js";
import type { Evidence } from "./types.js";

interface Cells {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Every variant: width, rate, outcomes, and swiglu against it. */
export function outcomeCells(evidence: Evidence): Cells {
  const { config, analysis } = evidence;
  const metrics = outcomesOf(config.task);
  const [metric] = metrics;
  const scores = metrics.map((each) => scoresOf(evidence, each));
  const against = (name: string): string[] => {
    const found = againstSubject(analysis.outcomes[0]!, name);
    if (found === undefined) return ["", ""];
    const { mean, interval, primary, adjustedP = Number.NaN } = found;
    return [
      `${signed(metric.scale * mean, metric.digits)} ${showInterval(metric, interval)}`,
      primary === undefined ? pText(adjustedP) : `**${primary.verdict}**`,
    ];
  };
  return {
    head: [
      "variant",
      "dFf",
      "learning rate",
      `test loss, ${metric.unit}`,
      ...metrics.slice(1).map(({ name }) => name),
      `${SUBJECT} minus it`,
      "verdict, or adjusted p",
    ],
    rows: [...scores[0]!.keys()].map((name) => {
      const { hidden, learningRate } = config.variants.find((variant) => variant.name === name)!;
      const diverged = analysis.diverged.filter(({ variant }) => variant === name).length;
      return [
        diverged === 0 ? name : `${name} (${diverged} diverged)`,
        grouped(hidden),
        `${learningRate}`,
        ...metrics.map((each, i) => showEstimate(each, estimate(scores[i]!.get(name)!))),
        ...against(name),
      ];
    }),
  };
}

/** The primary comparisons, one in each column, and the same of the secondary outcomes. */
export function primaryCells({ config, analysis }: Evidence): Cells {
  const [metric, ...others] = outcomesOf(config.task);
  const [outcome, ...secondary] = analysis.outcomes;
  const questions = outcome!.primary;
  const row = (name: string, cell: (comparison: PrimaryComparison) => string): string[] => [
    name,
    ...questions.map(cell),
  ];
  const interval = (each: Interval | null): string => (each === null ? "" : showInterval(metric, each));
  return {
    head: [`${SUBJECT} against`, ...questions.map(({ reference }) => reference)],
    rows: [
      row("**verdict**", ({ verdict }) => `**${verdict}**`),
      row(`difference of the test loss, ${metric.unit}`, ({ difference, percent }) =>
        [
          signed(metric.scale * difference.mean, metric.digits),
          ...(percent === null ? [] : [`(${signed(percent, 2)} %)`]),
        ].join(" "),
      ),
      row("Dunnett's p", ({ dunnett }) => pText(dunnett.p)),
      row("95 % interval, both together", ({ dunnett }) => interval(dunnett.interval)),
      row("95 % interval that includes the test part", ({ withTestNoise }) => interval(withTestNoise)),
      row("equivalence: margin", ({ equivalence }) => `±${show(metric, equivalence.margin)}`),
      row("equivalence: 90 % interval", ({ equivalence }) => interval(equivalence.interval)),
      row("equivalence: p", ({ equivalence }) => pText(equivalence.p)),
      row(
        "effect size d_z (95 %); d_av; both with Hedges' correction",
        ({ effect: { dz, dzInterval, dav } }) =>
          [
            ...(dz === null
              ? []
              : [signed(dz, 2) + (dzInterval === null ? "" : ` ${plainInterval(dzInterval)}`)]),
            ...(dav === null ? [] : [signed(dav, 2)]),
          ].join("; "),
      ),
      row("correlation over seeds", ({ pairing }) =>
        pairing.correlation === null ? "" : signed(pairing.correlation, 2),
      ),
      row("variance of the difference, against unpaired seeds", ({ pairing }) =>
        pairing.varianceRatio === null ? "" : `${(100 * pairing.varianceRatio).toFixed(0)} %`,
      ),
      row("seeds for 80 % power: for this difference; for the margin", ({ seedsNeeded }) =>
        [seedsNeeded.forDifference, seedsNeeded.forMargin].map(seedsText).join("; "),
      ),
      ...others.map((each, i) => {
        const own = secondary[i]?.primary ?? [];
        return [
          `${each.name}${each.unit === "" || each.unit.includes(each.name) ? "" : `, ${each.unit}`} (secondary)`,
          ...own.map((comparison) => secondaryText(comparison, each)),
        ];
      }),
    ],
  };
}

function secondaryText({ dunnett, verdict }: PrimaryComparison, metric: Metric): string {
  const { difference, interval, p } = dunnett;
  return `${signed(metric.scale * difference, metric.digits)} ${showInterval(metric, interval)}, ${pText(p)}: ${verdict}`;
}

const plainInterval = ({ low, high }: Interval): string => `[${signed(low, 2)}, ${signed(high, 2)}]`;

const seedsText = (n: number | null): string => (n === null ? "more than 100,000" : grouped(n));

/** What every variant's single runs had in common, for captions: "Means over 10 seeds ...". */
export function outcomeCaption(evidence: Evidence): string {
  const { analysis } = evidence;
  const { exploratory } = analysis.outcomes[0]!;
  return (
    `Means over ${analysis.seeds.length} seeds with 95 % t-intervals, lowest loss first; differences, in ${primaryMetric(evidence).unit}, ` +
    `are paired by seed: below zero ${SUBJECT} is better. Bold verdicts answer ${questionsOf(evidence.preset)} (Dunnett's test). The p-values are exploratory, ` +
    `corrected for all ${exploratory.length} exploratory comparisons (Benjamini and Hochberg).`
  );
}
