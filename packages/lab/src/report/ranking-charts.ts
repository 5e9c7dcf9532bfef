// The ranking as two charts in the same order: the test metric, and the difference to the baseline.
import { axisX, axisY, dot, gridX, gridY, type PlotOptions, ruleX, ruleY } from "@observablehq/plot";
import type { Family } from "../activation/samples.js";
import { type Estimate, excludesZero } from "../statistics/inference/estimate.js";
import type { Summary } from "../statistics/summary.js";
import type { Metric } from "../tasks/common/score.js";
import { familyColour, svg } from "./svg.js";

/** A line of a chart. */
export interface Row {
  readonly name: string;
  /** null for a row without marks: the baseline among the differences. */
  readonly estimate: Estimate | null;
  readonly seeds: readonly number[];
  readonly colour: string;
  readonly hollow: boolean;
}

/** Mean test metric with intervals, and one small dot for every seed. */
export function metricChart(
  { ranking, baseline }: Summary,
  metric: Metric,
  families: ReadonlyMap<string, Family>,
): string {
  const rows = ranking.flatMap(({ name, test, finished }): Row[] =>
    test === null
      ? []
      : [
          {
            name,
            estimate: scale(test.metric, metric.scale),
            seeds: finished.map((run) => metric.scale * metric.of(run.test)),
            colour: familyColour[families.get(name) ?? "ungated"],
            hollow: false,
          },
        ],
  );
  const base = rows.find(({ name }) => name === baseline)?.estimate?.mean;
  return svg(
    intervalPlot(rows, base, `test ${metric.name}${metric.axis === "" ? "" : `, ${metric.axis}`}`),
    `Mean test ${metric.name} of every variant, with 95 % intervals`,
  );
}

/** Paired difference in the test metric to the baseline with intervals; hollow where the interval includes zero. */
export function differenceChart(
  { ranking, baseline }: Summary,
  metric: Metric,
  families: ReadonlyMap<string, Family>,
): string {
  const rows = ranking.flatMap(({ name, test, difference }): Row[] => {
    const colour = familyColour[families.get(name) ?? "ungated"];
    if (difference === null)
      return test === null ? [] : [{ name, colour, seeds: [], hollow: true, estimate: null }];
    const seeds = difference.values.map((value) => metric.scale * value);
    const hollow = !excludesZero(difference.metric);
    return [{ name, colour, seeds, hollow, estimate: scale(difference.metric, metric.scale) }];
  });
  return svg(
    intervalPlot(
      rows,
      0,
      `test ${metric.name} minus ${baseline}'s, ${metric.axis === "%" ? "percentage points" : metric.unit}`,
    ),
    `Difference in test ${metric.name} to ${baseline} on the same seeds, with 95 % intervals`,
  );
}

/** Means with their intervals and seeds, one row each, beside a line at `reference`. */
export const intervalChart = (
  rows: readonly Row[],
  reference: number | undefined,
  label: string,
  ariaLabel: string,
): string => svg(intervalPlot(rows, reference, label), ariaLabel);

function intervalPlot(rows: readonly Row[], reference: number | undefined, label: string): PlotOptions {
  const [low, high] = visibleRange(rows, reference);
  const seeds = rows.flatMap(({ name, seeds, colour }) => seeds.map((value) => ({ name, value, colour })));
  const means = rows.flatMap(({ name, estimate, colour, hollow }) =>
    estimate === null ? [] : [{ name, colour, hollow, ...estimate }],
  );
  const intervals = means.flatMap(({ name, mean, half, colour }) =>
    half === null ? [] : [{ name, x1: Math.max(low, mean - half), x2: Math.min(high, mean + half), colour }],
  );
  return {
    width: 480,
    height: 56 + 26 * rows.length,
    marginLeft: 134,
    marginRight: 16,
    marginTop: 10,
    marginBottom: 42,
    x: { domain: [low, high] },
    y: { domain: rows.map(({ name }) => name), label: null },
    marks: [
      gridX({ ticks: 6 }),
      gridY({ strokeOpacity: 0.06 }),
      axisX({ ticks: 6, label, labelAnchor: "center", labelArrow: "none", tickSize: 0 }),
      axisY({ tickSize: 0, tickPadding: 12, label: null }),
      ...(reference === undefined
        ? []
        : [ruleX([reference], { stroke: "var(--baseline)", strokeDasharray: "3 3" })]),
      ruleY(intervals, {
        y: "name",
        x1: "x1",
        x2: "x2",
        stroke: (d: Row) => d.colour,
        strokeWidth: 2.5,
        strokeLinecap: "round",
      }),
      dot(seeds, { x: "value", y: "name", r: 1.8, dy: 7, fill: (d: Row) => d.colour, fillOpacity: 0.7 }),
      dot(means, {
        x: "mean",
        y: "name",
        r: 5,
        fill: (d: Row) => (d.hollow ? "var(--paper)" : d.colour),
        stroke: (d: Row) => (d.hollow ? d.colour : "var(--paper)"),
        strokeWidth: 2,
      }),
    ],
    color: { type: "identity" },
  };
}

/** All seeds, with room for intervals of usual width: a single wild variant must not flatten the others. */
function visibleRange(rows: readonly Row[], reference: number | undefined): [number, number] {
  const values = rows.flatMap(({ seeds }) => seeds).concat(reference ?? []);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const room = 0.3 * (max - min) || 0.5;
  return [min - room, max + room];
}

const scale = ({ n, mean, half }: Estimate, by: number): Estimate => ({
  n,
  mean: mean * by,
  half: half === null ? null : half * by,
});
