// The summary in plain words: what the numbers show, and what a run of this size can and cannot rank.
import { describeRates } from "../config/learning-rates.js";
import type { Config } from "../config/types.js";
import type { Metric } from "../tasks/common/score.js";
import { definitionOf } from "../tasks/registry.js";
import { count, grouped, list } from "../words/format.js";
import type { Analysis } from "./analysis.js";
import { excludesZero, median } from "./inference/estimate.js";
import { metricOf, show, showDifference } from "./metric.js";
import type { Summary, VariantSummary } from "./summary.js";
import { describePrimary } from "./verdicts.js";

export interface Findings {
  /** The answer to each primary question; [] where there are none. */
  readonly primary: readonly string[];
  /** What the numbers show, sentence by sentence. */
  readonly shown: readonly string[];
  /** What may turn an answer round, and belongs beside it. */
  readonly warnings: readonly string[];
  /** What they cannot show. */
  readonly limits: readonly string[];
}

/** Fewer passes over the training part than this, at a rate that was not tuned, say more of the rate than of the variants. */
const FEW_PASSES = 3;

/**
 * Puts a summary and its analysis in words.
 *
 * @param isTuned whether the learning rates were
 */
export function describe(
  summary: Summary,
  config: Config,
  analysis: Analysis | null,
  isTuned: boolean,
): Findings {
  const metric = metricOf(config.task);
  return {
    primary: describePrimary(analysis, config.task),
    shown: [
      leader(summary, metric),
      ...differences(summary, metric),
      ...corrected(summary, metric, analysis),
      ...learned(summary),
      ...incomplete(summary, config),
    ],
    warnings: isTuned ? [] : untuned(config),
    limits: [...power(summary, config, metric), reach(config)],
  };
}

function leader({ ranking, baseline }: Summary, metric: Metric): string {
  const [first, second] = ranking.filter(({ test }) => test !== null);
  if (first?.test == null) return "No run finished, so there is nothing to rank.";
  const value = (test: { metric: { mean: number } }): string => show(metric, test.metric.mean);
  const head = `${first.name} has the ${metric.higherIsBetter ? "highest" : "lowest"} mean test ${metric.name}, ${value(first.test)}`;
  const base = ranking.find(({ name }) => name === baseline);
  const rest: string[] = [];
  if (second?.test != null) rest.push(`${second.name} follows with ${value(second.test)}`);
  if (base?.test != null && base !== first && base !== second) {
    rest.push(`${baseline} reaches ${value(base.test)}`);
  }
  return `${[head, ...rest].join("; ")}.`;
}

function differences({ ranking, baseline }: Summary, metric: Metric): string[] {
  const compared = ranking.filter(({ difference }) => difference?.metric.half != null);
  if (compared.length === 0) return [];
  const apart = compared.filter(({ difference }) => excludesZero(difference!.metric));
  const isAbove = ({ difference }: VariantSummary): boolean =>
    difference!.metric.mean > 0 === metric.higherIsBetter;
  const better = apart.filter(isAbove);
  const worse = apart.filter((variant) => !isAbove(variant));
  const named = (variants: readonly VariantSummary[]): string =>
    list(variants.map(({ name, difference }) => `${name} (${showDifference(metric, difference!.metric)})`));
  const sentences: string[] = [];
  if (better.length > 0)
    sentences.push(
      `Better than ${baseline}, with a 95 % interval that excludes zero: ${named(better)} ${metric.unit}.`,
    );
  if (worse.length > 0)
    sentences.push(
      `Worse than ${baseline}, with a 95 % interval that excludes zero: ${named(worse)} ${metric.unit}.`,
    );
  const undecided = compared.filter((variant) => !apart.includes(variant));
  if (apart.length === 0)
    sentences.push(`No variant can be told from ${baseline}: every 95 % interval includes zero.`);
  else if (undecided.length === 1)
    sentences.push(`${undecided[0]!.name} cannot be told from ${baseline}: its interval includes zero.`);
  else if (undecided.length > 1)
    sentences.push(
      `The other ${undecided.length} cannot be told from ${baseline}: their intervals include zero.`,
    );
  return sentences;
}

/** What remains of the differences to the baseline when the number of comparisons is allowed for. */
function corrected({ ranking, baseline }: Summary, metric: Metric, analysis: Analysis | null): string[] {
  const exploratory = analysis?.outcomes.find(({ outcome }) => outcome === metric.name)?.exploratory ?? [];
  const compared = exploratory.filter(({ reference }) => reference === baseline);
  if (compared.length < 2) return [];
  const found = compared.filter(({ adjustedP }) => adjustedP < 0.05).map(({ variant }) => variant);
  const survivors = ranking.map(({ name }) => name).filter((name) => found.includes(name));
  const remaining =
    survivors.length === 0
      ? "none remains"
      : `${list(survivors)} ${survivors.length === 1 ? "remains" : "remain"}`;
  return [
    `These are ${compared.length} comparisons: if no variant differed, about ${(0.05 * compared.length).toFixed(1)} of the intervals ` +
      `would still exclude zero by chance. With the rate of false discoveries among all ${exploratory.length} exploratory comparisons held at 5 % (Benjamini and Hochberg), ${remaining}.`,
  ];
}

function learned({ ranking }: Summary): string[] {
  const parts = ranking.flatMap(({ name, learned }) =>
    Object.entries(learned).map(
      ([parameter, { mean, min, max }]) =>
        `${name}'s ${parameter} to ${mean.toFixed(3)} on average (${min.toFixed(3)} to ${max.toFixed(3)} over blocks and seeds)`,
    ),
  );
  return parts.length === 0 ? [] : [`Training moved ${list(parts)}.`];
}

function incomplete({ ranking, missing }: Summary, config: Config): string[] {
  const sentences = ranking
    .filter(({ diverged }) => diverged.length > 0)
    .map(({ name, diverged, finished }) => {
      const when = list(diverged.map(({ seed, divergedAt }) => `seed ${seed} at step ${divergedAt}`));
      const consequence =
        finished.length === 0
          ? "it is not ranked"
          : "its means are over the remaining seeds and flatter it; in comparisons each counts as the worst finished run";
      return `${name} diverged in ${diverged.length} of ${count(config.seeds.length, "run")} (${when}): ${consequence}.`;
    });
  if (missing > 0)
    sentences.push(
      `${count(missing, "run")} did not end: the figures are over the others; start again to do the rest.`,
    );
  return sentences;
}

function power({ ranking, baseline }: Summary, config: Config, metric: Metric): string[] {
  const halves = ranking.flatMap(({ difference }) => difference?.metric.half ?? []);
  if (halves.length === 0) {
    return config.variants.length < 2 || config.seeds.length >= 3
      ? []
      : [
          `With ${count(config.seeds.length, "seed")} there is no interval, and the order may be chance: use --seeds 3 or more.`,
        ];
  }
  const seeds = config.seeds.length;
  const advice = seeds < 10 ? ` More seeds narrow it: --seeds ${Math.max(10, 2 * seeds)}, for instance.` : "";
  return [
    `With ${seeds} seeds the 95 % interval of a difference to ${baseline} typically reaches ${(metric.scale * median(halves)).toFixed(metric.digits)} ${metric.unit} ` +
      `to either side, so smaller true differences stay hidden, and neighbours in the ranking may swap places in a repetition.${advice}`,
  ];
}

/** The passes of a run over the training part: "0.4", "12". */
function passesOf({ steps, batch, data }: Config): string {
  const passes = (steps * batch) / data.examples.train;
  return passes.toFixed(passes < 10 ? 1 : 0);
}

function untuned(config: Config): string[] {
  const { steps, batch, data, variants } = config;
  if (variants.length < 2 || (steps * batch) / data.examples.train >= FEW_PASSES) return [];
  const rates = describeRates(variants);
  return [
    `Beware: runs of ${passesOf(config)} passes at a learning rate that was not tuned (${rates}) rank how well that rate suits each variant as much as ` +
      "the variants. Give --tune a grid, as in --tune 0.005,0.01,0.02, and --lengths to see whether the answer holds for longer training.",
  ];
}

function reach(config: Config): string {
  const { steps, batch, data, variants, width, depth } = config;
  const examples = data.examples.train;
  const { examples: noun, beyond } = definitionOf(config);
  return (
    `${count(steps, "step")} of ${batch} ${noun} are ${passesOf(config)} passes over the ${grouped(examples)} training ${noun}. ` +
    `Such a run ranks how fast the variants learn at learning rate ${describeRates(variants)} and one size ` +
    `(width ${width}, ${count(depth, "block")}) on ${data.name}; it cannot say which is best after long training, at other ` +
    `learning rates or sizes, or on other data${beyond}.`
  );
}
