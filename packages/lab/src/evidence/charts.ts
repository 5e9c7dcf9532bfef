// The pictures of the evidence of one task: ranking and learning curves, as SVG files.
import { activationFromJson } from "swiglu";
import { type Family, familyOf } from "../activation/samples.js";
import { figure, type Part } from "../report/figure.js";
import { learningPanels } from "../report/learning-charts.js";
import { intervalChart, type Row } from "../report/ranking-charts.js";
import { familyColour, panelFrame } from "../report/svg.js";
import { type Estimate, estimate, excludesZero } from "../statistics/inference/estimate.js";
import { summarise } from "../statistics/summary.js";
import { primaryMetric, SUBJECT, scoresOf } from "./scores.js";
import type { Evidence } from "./types.js";

/** The test loss of every variant, and its difference to swiglu's on the same seeds. */
export function rankingFigure(evidence: Evidence): string {
  const metric = primaryMetric(evidence);
  const families = familiesOf(evidence);
  const scores = scoresOf(evidence, metric);
  const own = scores.get(SUBJECT)!;
  const losses: Row[] = [...scores].map(([name, seeds]) => ({
    name,
    seeds,
    estimate: estimate(seeds),
    colour: familyColour[families.get(name)!],
    hollow: false,
  }));
  const differences = losses.map((row): Row => {
    if (row.name === SUBJECT) return { ...row, seeds: [], estimate: null };
    const seeds = row.seeds.map((loss, i) => own[i]! - loss);
    const mean: Estimate = estimate(seeds);
    return { ...row, seeds, estimate: mean, hollow: !excludesZero(mean) };
  });
  const label = `test loss, ${metric.axis}`;
  const charts = [
    intervalChart(losses, undefined, label, "Mean test loss of every variant, with 95 % intervals"),
    intervalChart(
      differences,
      0,
      `${SUBJECT}'s ${label}, minus the variant's`,
      `Difference in test loss, ${SUBJECT} minus each variant, with 95 % intervals`,
    ),
  ];
  const titles = ["Test loss", `${SUBJECT} minus the variant, seed by seed`];
  const notes = [
    "means with 95 % intervals; small dots are seeds",
    "below zero swiglu is better; hollow: the interval includes zero",
  ];
  const parts = charts.map(
    (chart, i): Part => ({
      chart,
      title: titles[i]!,
      note: notes[i]!,
      width: 480,
      height: 56 + 26 * losses.length,
    }),
  );
  return figure(parts, 2, `Test loss of every variant on ${evidence.config.data.name}`);
}

/** The training loss of every variant, with swiglu's in grey behind it. */
export function curvesFigure(evidence: Evidence): string {
  const { config, records } = evidence;
  const summary = summarise(config, records);
  const order = [...scoresOf(evidence, primaryMetric(evidence)).keys()];
  const ranking = order.map((name) => summary.ranking.find((variant) => variant.name === name)!);
  const panels = learningPanels({ ...summary, ranking, baseline: SUBJECT }, familiesOf(evidence));
  const { width, height } = panelFrame;
  const parts = panels.map(({ name, note, chart }): Part => ({ chart, title: name, note, width, height }));
  return figure(parts, 4, `Training loss of every variant on ${config.data.name}, ${SUBJECT} in grey`);
}

const familiesOf = ({ config }: Evidence): ReadonlyMap<string, Family> =>
  new Map(config.variants.map(({ name, activation }) => [name, familyOf(activationFromJson(activation))]));
