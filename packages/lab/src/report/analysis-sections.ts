// The report's sections on the analysis: the primary questions with the figures behind them, and the exploratory comparisons.
import type { Analysis, Comparison, OutcomeAnalysis, PrimaryComparison } from "../statistics/analysis.js";
import type { Interval } from "../statistics/inference/estimate.js";
import { outcomesOf, showInterval } from "../statistics/metric.js";
import { FEWEST_SEEDS, pText } from "../statistics/verdicts.js";
import type { Metric } from "../tasks/common/score.js";
import type { TaskKind } from "../tasks/registry.js";
import { grouped, list, signed } from "../words/format.js";
import { escapeHtml, htmlTable, plainRow, scrolling } from "./tables.js";

/** Both sections; "" without an analysis, and without primary questions only the second one. */
export function analysisSections(
  analysis: Analysis | null,
  task: TaskKind,
  answers: readonly string[],
  isFixed: boolean,
): string {
  if (analysis === null) return "";
  const isFew = analysis.seeds.length < FEWEST_SEEDS;
  const outcomes = analysis.outcomes.map(
    (outcome, i): Measured => ({ outcome, metric: outcomesOf(task)[i]! }),
  );
  return primarySection(outcomes, answers, isFixed, isFew) + exploratorySection(analysis, outcomes, isFew);
}

interface Measured {
  readonly outcome: OutcomeAnalysis;
  readonly metric: Metric;
}

function primarySection(
  outcomes: readonly Measured[],
  answers: readonly string[],
  isFixed: boolean,
  isFew: boolean,
): string {
  if (answers.length === 0) return "";
  const table = (
    head: readonly string[],
    cells: (comparison: PrimaryComparison, metric: Metric) => readonly string[],
  ): string =>
    htmlTable(
      ["comparison", "outcome", ...head],
      outcomes.flatMap(({ outcome, metric }) =>
        outcome.primary.map((comparison) =>
          plainRow([nameOf(comparison), outcome.outcome, ...cells(comparison, metric)]),
        ),
      ),
    );
  const verdicts = table(
    ["verdict", "difference, 95 % jointly", "%", "p (Dunnett)", "margin", "p (equivalence)"],
    (comparison, metric) => [
      comparison.verdict,
      differenceText(metric, comparison.dunnett.difference, comparison.dunnett.interval),
      percentText(comparison),
      shortP(comparison.dunnett.p),
      `±${(metric.scale * comparison.equivalence.margin).toFixed(metric.digits)}`,
      shortP(comparison.equivalence.p),
    ],
  );
  const strengths = table(
    ["95 % with test noise", "Hedges’ g, 95 %", "correlation", "variance", "seeds for it", "for the margin"],
    (comparison, metric) => [
      noiseText(metric, comparison),
      effectText(comparison),
      correlationText(comparison),
      comparison.pairing.varianceRatio?.toFixed(2) ?? "",
      seedsText(comparison.seedsNeeded.forDifference),
      seedsText(comparison.seedsNeeded.forMargin),
    ],
  );
  const [{ metric }] = outcomes as [Measured];
  return `<section>
<h2>Primary questions</h2>
<p>${isFixed ? "Fixed in advance, and decided" : "Decided"} by the test ${metric.name}; the other outcomes stand beside it.</p>
<ul>${answers.map((answer) => `<li>${escapeHtml(answer)}</li>`).join("\n")}</ul>
${scrolling(verdicts)}
${isFew ? "" : scrolling(strengths)}
<p>p and intervals of both questions together are Dunnett’s, in the analysis of variance with seeds as blocks. Equivalence is two one-sided paired t-tests against the margin.${
    isFew
      ? ""
      : `
The interval with test noise also draws other test data (bootstrap over seeds and, crossed, independent parts of the test data). Hedges’ g is the mean difference in standard deviations of the differences.
Correlation is that of both variants over the seeds; variance is what pairing by seed left of the variance of their difference. Seeds are those that a paired test needs for 80 % power.`
  }</p>
</section>

`;
}

function exploratorySection({ diverged }: Analysis, outcomes: readonly Measured[], isFew: boolean): string {
  const [first, ...others] = outcomes.filter(({ outcome }) => outcome.exploratory.length > 0);
  if (first === undefined) return "";
  const losses = list(diverged.map(({ variant, seed }) => `${variant} with seed ${seed}`));
  const counted =
    diverged.length === 0
      ? ""
      : `<p>${escapeHtml(`Diverged, and counted as the worst finished run of the sweep: ${losses}.`)}</p>`;
  return `<section>
<h2>Exploratory comparisons</h2>
<p>Paired t-tests by seed of test ${first.metric.name}, with p-values adjusted for all of them together (Benjamini and Hochberg): hints for others to test.</p>
${scrolling(exploratoryTable(first, isFew))}
<p>${escapeHtml(anovaText(first))}</p>
${counted}
${others
  .map(
    (measured) =>
      `<details><summary>The same of test ${escapeHtml(measured.metric.name)}</summary>${scrolling(exploratoryTable(measured, isFew))}<p>${escapeHtml(anovaText(measured))}</p></details>`,
  )
  .join("\n")}
</section>

`;
}

function exploratoryTable({ outcome, metric }: Measured, isFew: boolean): string {
  const noise = outcome.role === "primary";
  const head = [
    "comparison",
    "difference, 95 %",
    "%",
    "p",
    "adjusted p",
    "p (equivalence)",
    ...(noise ? ["95 % with test noise"] : []),
    ...(isFew ? [] : ["Hedges’ g, 95 %", "correlation"]),
  ];
  const rows = outcome.exploratory.map((comparison) => {
    const { difference, adjustedP, equivalence } = comparison;
    return plainRow([
      nameOf(comparison),
      differenceText(metric, difference.mean, difference.interval),
      percentText(comparison),
      shortP(difference.p),
      shortP(adjustedP),
      shortP(equivalence.p),
      ...(noise ? [noiseText(metric, comparison)] : []),
      ...(isFew ? [] : [effectText(comparison), correlationText(comparison)]),
    ]);
  });
  return htmlTable(head, rows);
}

function anovaText({ outcome: { anova }, metric }: Measured): string {
  const { variants, blocks, residual } = anova;
  const part = (name: string, { f, df, p }: typeof variants): string =>
    `${name} ${f === null ? "" : `F(${df}, ${residual.df}) = ${f.toFixed(2)}, `}${pText(p)}`;
  const deviation = (metric.scale * Math.sqrt(residual.meanSquare)).toPrecision(3);
  return (
    `Analysis of variance: ${part("variants", variants)}; ${part("seeds", blocks)}; ` +
    `what remains is a standard deviation of ${deviation} ${metric.unit}`.trimEnd() +
    " for a single run."
  );
}

const nameOf = ({ variant, reference }: Comparison): string => `${variant} − ${reference}`;

const differenceText = (metric: Metric, difference: number, interval: Interval): string =>
  `${signed(metric.scale * difference, metric.digits)} ${showInterval(metric, interval)}`;

const percentText = ({ percent }: Comparison): string => (percent === null ? "" : signed(percent, 1));

const noiseText = (metric: Metric, { withTestNoise }: Comparison): string =>
  withTestNoise === null ? "" : showInterval(metric, withTestNoise);

function effectText({ effect: { dz, dzInterval } }: Comparison): string {
  if (dz === null || dzInterval === null) return "";
  return `${signed(dz, 2)} [${signed(dzInterval.low, 2)}, ${signed(dzInterval.high, 2)}]`;
}

const correlationText = ({ pairing: { correlation } }: Comparison): string =>
  correlation === null ? "" : signed(correlation, 2);

/** "0.012", "< 0.001". */
const shortP = (p: number): string => pText(p).replace(/^p (= )?/, "");

const seedsText = (n: number | null): string => (n === null ? "> 100,000" : grouped(n));
