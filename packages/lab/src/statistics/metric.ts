// What the tasks are judged by: how a score gives each figure, which way is better, and how the figures look.
import type { TaskKind } from "../config/task.js";
import type { Score } from "../records/record.js";
import { percent, signed } from "../words/format.js";
import { type Estimate, type Interval, intervalOf } from "./estimate.js";

export interface Metric {
  readonly name: string;
  /** What a difference is counted in, after its number: "points", "nats per token". */
  readonly unit: string;
  /** The unit on the axis of a chart. */
  readonly axis: string;
  readonly higherIsBetter: boolean;
  /** The figure of a score. */
  of(score: Score): number;
  /** The factor with which figures and differences are shown. */
  readonly scale: number;
  readonly digits: number;
  /** A difference that nobody would care about, where the reference has this mean; fixed in docs/method-first-edition.md. */
  margin(reference: number): number;
}

const loss: Metric = {
  name: "loss",
  unit: "nats",
  axis: "nats",
  higherIsBetter: false,
  of: (score) => score.loss,
  scale: 1,
  digits: 4,
  margin: (reference) => 0.01 * reference,
};

const accuracy: Metric = {
  name: "accuracy",
  unit: "points",
  axis: "%",
  higherIsBetter: true,
  of: (score) => score.accuracy ?? Number.NaN,
  scale: 100,
  digits: 2,
  margin: () => 0.0025,
};

const tokenLoss: Metric = { ...loss, unit: "nats per token", axis: "nats per token" };

const perplexity: Metric = {
  ...loss,
  name: "perplexity",
  unit: "",
  axis: "",
  of: (score) => Math.exp(score.loss),
  digits: 2,
};

const bitsPerByte: Metric = {
  ...loss,
  name: "bits per byte",
  unit: "bits per byte",
  axis: "bits",
  of: (score) => score.bitsPerByte ?? Number.NaN,
};

const chrf: Metric = {
  name: "chrF",
  unit: "points of chrF",
  axis: "",
  higherIsBetter: true,
  of: (score) => score.chrf ?? Number.NaN,
  scale: 1,
  digits: 2,
  margin: () => 0.5,
};

const bleu: Metric = {
  ...chrf,
  name: "BLEU",
  unit: "points of BLEU",
  of: (score) => score.bleu ?? Number.NaN,
};

const outcomes: Readonly<Record<TaskKind, readonly [Metric, ...Metric[]]>> = {
  images: [loss, accuracy],
  language: [tokenLoss, perplexity, bitsPerByte],
  translation: [tokenLoss, chrf, bleu],
};

/** What the variants of a task are ranked and compared by: the loss, the primary outcome; then the secondary ones beside it. */
export const outcomesOf = (task: TaskKind): readonly [Metric, ...Metric[]] => outcomes[task];

/** The metric that leads. */
export const metricOf = (task: TaskKind): Metric => outcomes[task][0];

/** 0.9612 -> "96.12 %" of accuracy, 3.21 -> "3.2100" of loss. */
export function show({ scale, digits, axis }: Metric, value: number): string {
  return axis === "%" ? percent(value) : (scale * value).toFixed(digits);
}

/** "96.12 ± 0.20 %", without the half-width where there is none. */
export function showEstimate(metric: Metric, { mean, half }: Estimate): string {
  const { scale, digits, axis } = metric;
  if (half === null) return show(metric, mean);
  return `${(scale * mean).toFixed(digits)} ± ${(scale * half).toFixed(digits)}${axis === "%" ? " %" : ""}`;
}

/** "+0.42 [+0.10, +0.74]" in the metric's unit, without the bounds where there are none. */
export function showDifference(metric: Metric, difference: Estimate): string {
  const mean = signed(metric.scale * difference.mean, metric.digits);
  return difference.half === null ? mean : `${mean} ${showInterval(metric, intervalOf(difference))}`;
}

/** "[+0.10, +0.74]" in the metric's unit. */
export function showInterval({ scale, digits }: Metric, { low, high }: Interval): string {
  return `[${signed(scale * low, digits)}, ${signed(scale * high, digits)}]`;
}

/** Whether a is better than b: by the ranking metric, equal ones by loss. */
export function isBetter(metric: Metric, a: Score, b: Score): boolean {
  const [x, y] = [metric.of(a), metric.of(b)];
  if (x !== y) return x > y === metric.higherIsBetter;
  return a.loss < b.loss;
}

/** The figure that says most of a score, with its name where that is not plain: "96.12 %", "loss 3.2100". */
export function describeScore(score: Score): string {
  if (score.accuracy !== undefined) return show(accuracy, score.accuracy);
  const metric = score.chrf === undefined ? loss : chrf;
  return `${metric.name} ${show(metric, metric.of(score))}`;
}
