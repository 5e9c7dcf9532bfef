// The two pictures of docs/evidence.md: the answers in one unit, and the difference over training.
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
import { figure } from "../report/figure.js";
import { colours, svg } from "../report/svg.js";
import { forestPlot } from "../study/charts.js";
import { forestRows } from "../study/report.js";
import { gapsOf } from "./gaps.js";
import { type FinishedStudy, trainingTasks } from "./overview.js";
import { about } from "./presets.js";
import type { Evidence } from "./types.js";

const LABEL = "SwiGLU against its rivals on every task";
/** Per cent of a loss that nobody would care about, in the first edition. */
const MARGIN = 1;

export function forestFigure(all: readonly Evidence[], studies: readonly FinishedStudy[]): string {
  if (studies.length > 0) {
    const rows = studies.flatMap(({ study, analysis }) => forestRows(analysis, study.lengths, study.preset));
    const { chart, width, height } = forestPlot(rows);
    return figure(
      [
        {
          chart,
          width,
          height,
          title: "Compute for the same loss",
          note: "orange: test part; blue: validation part; band: within 5 %",
        },
      ],
      1,
      LABEL,
    );
  }
  const rows = all.flatMap(({ preset, analysis }) =>
    analysis.outcomes[0]!.primary.map(({ reference, means, difference, dunnett, withTestNoise }) => {
      const percent = (value: number): number => (100 * value) / means.reference;
      const wide = withTestNoise ?? dunnett.interval;
      return {
        name: `${about[preset].task} / ${reference}`,
        x: percent(difference.mean),
        x1: percent(dunnett.interval.low),
        x2: percent(dunnett.interval.high),
        wide1: percent(wide.low),
        wide2: percent(wide.high),
      };
    }),
  );
  const [width, height] = [640, 60 + 28 * rows.length];
  const options: PlotOptions = {
    width,
    height,
    marginLeft: 180,
    marginRight: 20,
    marginTop: 10,
    marginBottom: 42,
    x: { nice: true },
    y: { domain: rows.map(({ name }) => name), label: null },
    marks: [
      rect([{}], { x1: -MARGIN, x2: MARGIN, fill: colours.baseline, fillOpacity: 0.22 }),
      gridX({ ticks: 8 }),
      axisX({
        ticks: 8,
        tickSize: 0,
        label: "SwiGLU's test loss minus the rival's, % of it (below 0 SwiGLU is better)",
        labelAnchor: "center",
        labelArrow: "none",
      }),
      axisY({ tickSize: 0, tickPadding: 10, label: null }),
      ruleX([0], { stroke: colours.baseline }),
      ruleY(rows, { y: "name", x1: "wide1", x2: "wide2", stroke: colours.gated, strokeWidth: 1.2 }),
      ruleY(rows, {
        y: "name",
        x1: "x1",
        x2: "x2",
        stroke: colours.gated,
        strokeWidth: 4,
        strokeOpacity: 0.75,
      }),
      dot(rows, { x: "x", y: "name", r: 4.5, fill: colours.gated }),
    ],
  };
  const note = "thick: other seeds; thin: other seeds and another test part; band: within 1 %";
  return figure(
    [{ chart: svg(options, LABEL), width, height, title: "First edition: difference in test loss", note }],
    1,
    LABEL,
  );
}

/** One panel a task, all of one scale. */
export function trainingFigure(all: readonly Evidence[]): string {
  const [width, height] = [420, 260];
  const tasks = trainingTasks(all).map((evidence) => ({ evidence, gaps: gapsOf(evidence) }));
  const bounds = tasks.flatMap(({ gaps }) =>
    gaps.flatMap(({ points }) => points.slice(1).flatMap(({ mean, half }) => [mean - half, mean + half])),
  );
  const domain: [number, number] = [Math.min(...bounds, 0), Math.max(...bounds, 0)];
  const parts = tasks.map(({ evidence, gaps }) => {
    const points = gaps.flatMap(({ rival, points: own }) =>
      own.map(({ share, mean, half }) => ({
        share: 100 * share,
        mean,
        low: mean - half,
        high: mean + half,
        rival,
        colour: rival === "swish" ? colours.ungated : colours.gated,
      })),
    );
    const options: PlotOptions = {
      width,
      height,
      marginLeft: 40,
      marginRight: 12,
      marginTop: 8,
      marginBottom: 40,
      y: { domain, clamp: true },
      marks: [
        gridY({ ticks: 6 }),
        axisY({ ticks: 6, tickSize: 0, label: null }),
        axisX({ ticks: 5, tickSize: 0, label: "% of the run", labelAnchor: "center", labelArrow: "none" }),
        ruleY([0], { stroke: colours.baseline }),
        areaY(points, {
          x: "share",
          y1: "low",
          y2: "high",
          z: "rival",
          fill: (d: { colour: string }) => d.colour,
          fillOpacity: 0.16,
        }),
        line(points, {
          x: "share",
          y: "mean",
          z: "rival",
          stroke: (d: { colour: string }) => d.colour,
          strokeWidth: 2,
        }),
        dot(points, { x: "share", y: "mean", r: 3, fill: (d: { colour: string }) => d.colour }),
      ],
      color: { type: "identity" },
    };
    const { task } = about[evidence.preset];
    return {
      chart: svg(options, `SwiGLU's validation loss minus its rivals' over a run on ${task}, per cent`),
      width,
      height,
      title: task,
      note: "% of the loss; blue: minus swish, orange: minus glu",
    };
  });
  return figure(parts, 2, "SwiGLU's validation loss minus its rivals' over a run");
}
