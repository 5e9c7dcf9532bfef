// The pictures of a study: multipliers of all questions in one unit, and the difference against the length.
import {
  areaY,
  axisX,
  axisY,
  dot,
  gridX,
  gridY,
  line,
  type PlotOptions,
  rect,
  ruleX,
  ruleY,
} from "@observablehq/plot";
import { colours, svg } from "../report/svg.js";
import { type Answer, type Judged, MARGIN } from "./analysis.js";
import type { PartName } from "./bootstrap.js";

/** A line of the forest plot. */
export interface ForestRow {
  readonly name: string;
  readonly parts: Readonly<Record<PartName, Judged>>;
}

const PART_COLOUR: Readonly<Record<PartName, string>> = { test: colours.gated, validation: colours.ungated };
const [LEAST, MOST] = [0.4, 2.5];

/** Multipliers with 95 % intervals of both parts, the margin as a band. */
export function forestPlot(rows: readonly ForestRow[]): { chart: string; width: number; height: number } {
  const marks = rows.flatMap(({ name, parts }, row) =>
    (["test", "validation"] as const).map((part, k) => {
      const { value, interval } = parts[part];
      const within = (x: number): number => Math.min(MOST, Math.max(LEAST, Math.exp(x)));
      return {
        name,
        y: row + (k === 0 ? -0.16 : 0.16),
        x: within(value),
        x1: within(interval.low),
        x2: within(interval.high),
        colour: PART_COLOUR[part],
      };
    }),
  );
  const [width, height] = [640, 66 + 44 * Math.max(1, rows.length)];
  const options: PlotOptions = {
    width,
    height,
    marginLeft: 24 + 6.2 * Math.max(...rows.map(({ name }) => name.length)),
    marginRight: 20,
    marginTop: 10,
    marginBottom: 44,
    x: { type: "log", domain: [LEAST, MOST] },
    y: { domain: [-0.5, rows.length - 0.5], reverse: true },
    marks: [
      rect([{}], { x1: 1 / MARGIN, x2: MARGIN, fill: colours.baseline, fillOpacity: 0.22 }),
      gridX({ ticks: [0.5, 0.7, 1, 1.5, 2] }),
      axisX({
        ticks: [0.5, 0.7, 1, 1.5, 2],
        tickFormat: (x: number) => `×${x}`,
        tickSize: 0,
        label: "steps the rival needs for the same loss; above 1 it needs more",
        labelAnchor: "center",
        labelArrow: "none",
      }),
      axisY({
        ticks: rows.map((_, row) => row),
        tickFormat: (row: number) => rows[row]?.name ?? "",
        tickSize: 0,
        label: null,
      }),
      ruleX([1], { stroke: colours.baseline }),
      ruleY(marks, {
        y: "y",
        x1: "x1",
        x2: "x2",
        stroke: (d: { colour: string }) => d.colour,
        strokeWidth: 2.5,
      }),
      dot(marks, { x: "x", y: "y", r: 4.5, fill: (d: { colour: string }) => d.colour }),
    ],
    color: { type: "identity" },
  };
  const label =
    "Compute multipliers with 95 % intervals, test and validation part, the margin of 5 % as a band";
  return { chart: svg(options, label), width, height };
}

/** The difference in nats against the passes, each rival a line with its interval as a band; test part. */
export function differencePlot(answers: readonly Answer[]): { chart: string; width: number; height: number } {
  const [width, height] = [640, 300];
  const shades = [colours.gated, colours.ungated, colours["self-gated"], colours.baseline];
  const points = answers.flatMap(({ subject, rival, lengths }, i) =>
    lengths.map(({ length, parts: { test } }) => ({
      length,
      value: test.difference.value,
      low: test.difference.interval.low,
      high: test.difference.interval.high,
      pair: `${subject} − ${rival}`,
      colour: shades[i % shades.length]!,
    })),
  );
  const lengths = [...new Set(points.map(({ length }) => length))];
  const options: PlotOptions = {
    width,
    height,
    marginLeft: 70,
    marginRight: 20,
    marginTop: 12,
    marginBottom: 44,
    x: { type: "log" },
    marks: [
      gridY({ ticks: 6 }),
      axisY({ ticks: 6, tickSize: 0, label: null, tickFormat: (y: number) => y.toPrecision(2) }),
      axisX({
        ticks: lengths,
        tickFormat: (x: number) => `${x}`,
        tickSize: 0,
        label:
          "passes over the training part (full runs); difference in nats, below 0 the first one is better",
        labelAnchor: "center",
        labelArrow: "none",
      }),
      ruleY([0], { stroke: colours.baseline }),
      areaY(points, {
        x: "length",
        y1: "low",
        y2: "high",
        z: "pair",
        fill: (d: { colour: string }) => d.colour,
        fillOpacity: 0.14,
      }),
      line(points, {
        x: "length",
        y: "value",
        z: "pair",
        stroke: (d: { colour: string }) => d.colour,
        strokeWidth: 2,
      }),
      dot(points, { x: "length", y: "value", r: 4, fill: (d: { colour: string }) => d.colour }),
    ],
    color: { type: "identity" },
  };
  return { chart: svg(options, "Difference in test loss against the length of training"), width, height };
}

/** The names and colours of the lines of `differencePlot`, as HTML. */
export const differenceKeys = (answers: readonly Answer[]): { name: string; colour: string }[] =>
  answers.map(({ subject, rival }, i) => ({
    name: `${subject} − ${rival}`,
    colour: [colours.gated, colours.ungated, colours["self-gated"], colours.baseline][i % 4]!,
  }));
