// The section of the document on one task.
import { presets } from "../config/presets.js";
import type { RunRecord } from "../records/record.js";
import { markdownBullets, markdownTable, plainMarkdown } from "../report/markdown.js";
import { methodOf } from "../report/task-words.js";
import type { ExploratoryComparison, OutcomeAnalysis } from "../statistics/analysis.js";
import type { Anova } from "../statistics/inference/anova.js";
import { describeMatched, matchCosts } from "../statistics/matched.js";
import { outcomesOf } from "../statistics/metric.js";
import { summarise } from "../statistics/summary.js";
import { describeTuning } from "../statistics/tuning.js";
import { describePrimary, pText } from "../statistics/verdicts.js";
import type { Metric } from "../tasks/common/score.js";
import { definitionOf } from "../tasks/registry.js";
import { matchedCells, matchedHead, tuningCells, tuningHead } from "../terminal/tables.js";
import { capitalised, count, grouped, list, signed } from "../words/format.js";
import { questionsOf, titleOf } from "./presets.js";
import { outcomeCaption, outcomeCells, primaryCells } from "./tables.js";
import type { Evidence } from "./types.js";

/** How many of the translations that a run keeps are shown. */
const SHOWN_SAMPLES = 4;

/** docs/evidence/<preset>.md of the first edition. */
export const taskDocument = (evidence: Evidence): string =>
  `${[
    `# First edition: ${titleOf(evidence.preset)}`,
    "[All tasks](../evidence.md), [method of the first edition](../method-first-edition.md). Margins here are in units of the outcome, and verdicts of the test part alone.",
    taskSection(evidence),
  ].join("\n\n")}\n`;

function taskSection(evidence: Evidence): string {
  const { preset, config, analysis, records } = evidence;
  const matched = matchCosts(config, records)!;
  const [metric] = outcomesOf(config.task);
  const picture = (name: string, text: string): string => `![${text}](${preset}-${name}.svg)`;
  return [
    `## ${titleOf(preset)}: ${presets[preset].data.name}`,
    setting(evidence),
    markdownBullets([
      ...describePrimary(analysis, config.task),
      ...differ(analysis.outcomes[0]!, metric),
      ...gaps(evidence),
    ]),
    picture("ranking", `Test loss of every variant, and swiglu's difference to it`),
    "Blue: ungated; orange: gated; green: self-gated.",
    markdownTable(outcomeCells(evidence)),
    outcomeCaption(evidence),
    `### ${capitalised(questionsOf(preset))}`,
    markdownTable(primaryCells(evidence)),
    "### Learning and cost",
    picture("curves", "Training loss of every variant, with swiglu in grey"),
    "Training loss in nats over the steps, logarithmic: means thick, seeds thin, swiglu in grey behind each.",
    markdownTable({ head: matchedHead, rows: matchedCells(matched) }),
    [describeMatched(matched)[0]!, ...learned(evidence)].join(" "),
    ...tuning(evidence),
    ...translations(evidence),
  ].join("\n\n");
}

function setting({ preset, config, records, differences }: Evidence): string {
  const { network, split } = methodOf(config);
  const { steps, batch, task, data } = config;
  const passes = (steps * batch) / data.examples.train;
  return (
    `${network} ${split} Each run: ${count(steps, "step")} of ${batch} ${definitionOf({ task }).examples}, ${passes.toFixed(1)} passes over the training part, ` +
    `with ${sizeOf(records)}. ` +
    (differences.length === 0
      ? `Preset \`${preset}\`, as it stands.`
      : `Preset \`${preset}\`, **but for** ${list(differences)}.`)
  );
}

/** "104,882 to 104,972 parameters": how large the models of runs are. */
export function sizeOf(records: readonly RunRecord[]): string {
  const sizes = records.flatMap((record) => (record.status === "finished" ? [record.parameters] : []));
  const bounds = new Set([Math.min(...sizes), Math.max(...sizes)]);
  return `${[...bounds].map(grouped).join(" to ")} parameters`;
}

/** What the variance says of all variants, and which exploratory comparisons remain. */
function differ({ anova, exploratory }: OutcomeAnalysis, metric: Metric): string[] {
  const found = exploratory
    .filter(({ adjustedP }) => adjustedP < 0.05)
    .map((comparison) => exploratoryText(comparison, metric));
  return [
    variance(anova),
    found.length === 0
      ? `Exploratory: none of the ${exploratory.length} other comparisons has an adjusted p below 0.05.`
      : `Exploratory, with an adjusted p below 0.05: ${list(found)}.`,
  ];
}

function exploratoryText({ variant, reference, difference }: ExploratoryComparison, metric: Metric): string {
  const better = difference.mean > 0 === metric.higherIsBetter;
  return `${variant} ${better ? "better" : "worse"} than ${reference} (${signed(metric.scale * difference.mean, metric.digits)})`;
}

/** What is not whole: runs that diverged, and seeds that are left out. */
function gaps({ analysis, config }: Evidence): string[] {
  const { diverged, incomplete } = analysis;
  const runs = list(diverged.map(({ variant, seed }) => `${variant} with seed ${seed}`));
  const all = count(config.seeds.length * config.variants.length, "run");
  return [
    ...(diverged.length === 0
      ? []
      : [`Diverged, and counted as the worst finished run: ${runs}, ${diverged.length} of ${all}.`]),
    ...(incomplete.length === 0
      ? []
      : [`Left out, because a variant's run is missing: ${list(incomplete.map((seed) => `seed ${seed}`))}.`]),
  ];
}

/** "Analysis of variance: variants F(9, 81) = 12.3, p < 0.001; seeds F(9, 81) = 3.5, p = 0.001. ..." */
function variance({ variants, blocks, residual }: Anova): string {
  const source = (name: string, { f, df, p }: Anova["variants"]): string =>
    f === null ? "" : `${name} F(${df}, ${residual.df}) = ${f.toFixed(1)}, ${pText(p)}; `;
  return (
    `Analysis of variance: ${source("variants", variants)}${source("seeds", blocks)}` +
    `the standard deviation of a single run within its seed is ${Math.sqrt(residual.meanSquare).toFixed(4)}.`
  );
}

function learned({ config, records }: Evidence): string[] {
  const parts = summarise(config, records).ranking.flatMap(({ name, learned }) =>
    Object.entries(learned).map(
      ([parameter, { mean, min, max }]) =>
        `${parameter} of ${name} ${mean.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)} over blocks and seeds)`,
    ),
  );
  return parts.length === 0 ? [] : [`Trained parameters end at: ${list(parts)}.`];
}

function tuning({ tuning }: Evidence): string[] {
  if (tuning === null) return [];
  const { extensions } = tuning;
  const grid = extensions.length === 0 ? ["The grid did not have to be extended."] : [];
  return [
    "### Learning rates",
    [...describeTuning(tuning), ...grid, "Mean validation losses at the end of full-length runs:"].join(" "),
    markdownTable({ head: tuningHead(tuning), rows: tuningCells(tuning) }),
  ];
}

function translations({ analysis, records }: Evidence): string[] {
  const texts = records.flatMap((record) =>
    record.status === "finished" && record.samples !== undefined
      ? [{ variant: record.variant, samples: record.samples }]
      : [],
  );
  const [first] = texts;
  if (first === undefined) return [];
  const rows = first.samples
    .slice(0, SHOWN_SAMPLES)
    .map(({ source, reference }, i) => [
      source,
      reference,
      ...texts.map(({ samples }) => samples[i]?.output ?? ""),
    ]);
  return [
    "### Translations",
    `From the test part, chosen in advance; what the runs of seed ${analysis.seeds[0]} wrote.`,
    markdownTable(
      {
        head: ["source", "reference", ...texts.map(({ variant }) => variant)],
        rows: rows.map((row) => row.map(plainMarkdown)),
      },
      { texts: true },
    ),
  ];
}
