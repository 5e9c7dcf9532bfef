// What the tasks are judged by: how a score gives each figure, which way is better, and how the figures look.
import { loss, type Metric, type Score } from "../tasks/common/score.js";
import { type TaskKind, tasks } from "../tasks/registry.js";
import { percent, signed } from "../words/format.js";
import { type Estimate, type Interval, intervalOf } from "./inference/estimate.js";

/** What the variants of a task are ranked and compared by: the loss, the primary outcome; then the secondary ones beside it. */
export const outcomesOf = (task: TaskKind): readonly [Metric, ...Metric[]] => tasks[task].metrics;

/** The metric that leads. */
export const metricOf = (task: TaskKind): Metric => tasks[task].metrics[0];

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
  const headlines = Object.values(tasks).flatMap(({ headline }) => headline ?? []);
  const metric = headlines.find((each) => !Number.isNaN(each.of(score))) ?? loss;
  const figure = show(metric, metric.of(score));
  return metric.axis === "%" ? figure : `${metric.name} ${figure}`;
}
