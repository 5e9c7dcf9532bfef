// The probe as small multiples, a panel for each variant: its curves, how fast the gradient changes nearby, what its gates do.
import { areaY, axisX, axisY, gridY, line, type PlotOptions, ruleX, ruleY } from "@observablehq/plot";
import { type Activation, compile } from "swiglu";
import { axisName, type Family } from "../activation/samples.js";
import type { Panel } from "../report/learning-charts.js";
import { familyColour, panelFrame, svg } from "../report/svg.js";
import { DISTANCES } from "./measure.js";
import { crossSection } from "./section.js";
import { meanShare, type VariantProbe } from "./summary.js";
import type { ProbeRun } from "./types.js";
import type { Point } from "./watch.js";

/** Names of variants with what they are drawn as. */
export interface Drawn {
  readonly activation: Activation;
  readonly family: Family;
}

/** Value (solid), slope (dashed) and second derivative (dotted) of every variant, parameters at their defaults. */
export function curvePanels(drawn: ReadonlyMap<string, Drawn>): Panel[] {
  return Array.from(drawn, ([name, { activation, family }]) => {
    const { value, slope, curvature } = crossSection(activation);
    const tape = compile([value, slope, curvature], ["gate", ...Object.keys(activation.parameters)]);
    const defaults = Object.values(activation.parameters);
    const samples = Array.from({ length: 201 }, (_, i) => {
      const x = -5 + i / 20;
      const [f, df, ddf] = tape.run([x, ...defaults]);
      return { x, f, df, ddf };
    });
    const grey = { stroke: "currentColor", strokeOpacity: 0.7, clip: true } as const;
    return {
      name,
      note: axisName(activation),
      chart: svg(
        {
          ...panelFrame,
          x: { domain: [-5, 5] },
          y: { domain: [-1, 2] },
          marks: [
            axisX({ ticks: [-4, -2, 0, 2, 4], tickSize: 0, label: null }),
            axisY({ ticks: [-1, 0, 1, 2], tickFormat: "d", tickSize: 0, label: null }),
            ruleX([0], { strokeOpacity: 0.15 }),
            ruleY([0], { strokeOpacity: 0.15 }),
            line(samples, { ...grey, x: "x", y: "ddf", strokeDasharray: "1 3", strokeWidth: 1.8 }),
            line(samples, { ...grey, x: "x", y: "df", strokeDasharray: "5 3", strokeWidth: 1.3 }),
            line(samples, { x: "x", y: "f", stroke: familyColour[family], strokeWidth: 2.2, clip: true }),
          ],
        },
        `Value, slope and second derivative of ${name} from -5 to 5`,
      ),
    };
  });
}

/** How fast the gradient changes over the distances; the first variant behind every other in grey. */
export function changePanels(variants: readonly VariantProbe[], drawn: ReadonlyMap<string, Drawn>): Panel[] {
  const curve = ({ change }: VariantProbe) =>
    change.map(({ mean }, i) => ({ distance: DISTANCES[i]!, change: mean }));
  const all = variants.flatMap(curve).map(({ change }) => change);
  const [baseline] = variants;
  const domain = [Math.min(...all) * 0.9, Math.max(...all) * 1.1] as const;
  const ticks = [1, 3, 10, 30, 100, 300, 1000].filter((y) => y > domain[0] && y < domain[1]);
  return variants.map((variant) => {
    const { name, roughness } = variant;
    const options: PlotOptions = {
      ...panelFrame,
      x: { type: "log" },
      y: { type: "log", domain },
      marks: [
        gridY({ ticks }),
        axisX({ ticks: [0.0001, 0.01, 1], tickFormat: (x: number) => `${x}`, tickSize: 0, label: null }),
        axisY({ ticks, tickFormat: (y: number) => `${y}`, tickSize: 0, label: null }),
        line(baseline === undefined ? [] : curve(baseline), {
          ...{ x: "distance", y: "change", stroke: "var(--baseline)", strokeWidth: 1.5 },
        }),
        line(curve(variant), { x: "distance", y: "change", stroke: colourOf(name, drawn), strokeWidth: 2 }),
      ],
    };
    return {
      name,
      note: `${DISTANCES[0]} : 0.01 is ${roughness.mean.toFixed(2)}`,
      chart: svg(options, `How fast the gradient changes over distances from ${DISTANCES[0]} to 1, ${name}`),
    };
  });
}

/** Over the steps: the share of gates that are closed (solid), of flat (dotted) and of falling slopes (dashed). */
export function gatePanels(runs: readonly ProbeRun[], drawn: ReadonlyMap<string, Drawn>): Panel[] {
  return Array.from(drawn.keys(), (name) => {
    const samples = meanPoints(runs, name, (point) => ({
      closed: meanShare(point, "closed"),
      flat: meanShare(point, "flat"),
      falling: meanShare(point, "falling"),
    }));
    const grey = { stroke: "currentColor", strokeOpacity: 0.7, x: "step" } as const;
    const last = samples.at(-1);
    return {
      name,
      note: last === undefined ? "diverged" : `${(100 * last.closed!).toFixed(1)} % closed at the end`,
      chart: svg(
        {
          ...panelFrame,
          x: { nice: false },
          y: { domain: [0, 1] },
          marks: [
            gridY({ ticks: [0, 0.5, 1] }),
            axisX({ ticks: 3, tickSize: 0, label: null }),
            axisY({ ticks: [0, 0.5, 1], tickFormat: "%", tickSize: 0, label: null }),
            line(samples, { ...grey, y: "flat", strokeDasharray: "1 3", strokeWidth: 1.8 }),
            line(samples, { ...grey, y: "falling", strokeDasharray: "5 3", strokeWidth: 1.3 }),
            line(samples, { x: "step", y: "closed", stroke: colourOf(name, drawn), strokeWidth: 2.2 }),
          ],
        },
        `Shares of closed gates, flat and falling slopes over the steps, ${name}`,
      ),
    };
  });
}

/** Over the steps: the median of the nonlinearity's input, the middle half and the middle nine tenths. */
export function inputPanels(runs: readonly ProbeRun[], drawn: ReadonlyMap<string, Drawn>): Panel[] {
  const quantiles = ({ gates }: Point) => {
    const at = (i: number): number => gates.reduce((sum, gate) => sum + gate.quantiles[i]!, 0) / gates.length;
    return { lowest: at(0), low: at(1), middle: at(2), high: at(3), highest: at(4) };
  };
  const all = new Map(Array.from(drawn.keys(), (name) => [name, meanPoints(runs, name, quantiles)]));
  const values = [...all.values()].flat();
  const domain = [
    Math.min(...values.map(({ lowest }) => lowest!)),
    Math.max(...values.map(({ highest }) => highest!)),
  ];
  return Array.from(all, ([name, samples]) => {
    const fill = colourOf(name, drawn);
    const last = samples.at(-1);
    return {
      name,
      note: last === undefined ? "diverged" : `median ${last.middle!.toFixed(2)} at the end`,
      chart: svg(
        {
          ...panelFrame,
          x: { nice: false },
          y: { domain },
          marks: [
            areaY(samples, { x: "step", y1: "lowest", y2: "highest", fill, fillOpacity: 0.2 }),
            areaY(samples, { x: "step", y1: "low", y2: "high", fill, fillOpacity: 0.3 }),
            line(samples, { x: "step", y: "middle", stroke: fill, strokeWidth: 2 }),
            ruleY([0], { strokeOpacity: 0.3 }),
            axisX({ ticks: 3, tickSize: 0, label: null }),
            axisY({ ticks: 5, tickSize: 0, label: null }),
          ],
        },
        `Quantiles of the input of the nonlinearity over the steps, ${name}`,
      ),
    };
  });
}

const colourOf = (name: string, drawn: ReadonlyMap<string, Drawn>): string =>
  familyColour[drawn.get(name)?.family ?? "ungated"];

/** Numbers of the points of a variant, averaged over the runs that did not diverge. */
function meanPoints<K extends string>(
  runs: readonly ProbeRun[],
  name: string,
  numbers: (point: Point) => Record<K, number>,
): Record<K | "step", number>[] {
  const finished = runs.filter(({ variant, diverged }) => variant === name && !diverged);
  const [first] = finished;
  return (first?.points ?? []).map(({ step }, i) => {
    const all = finished.map(({ points }) => ({ ...numbers(points[i]!), step }));
    const keys = Object.keys(all[0]!) as (K | "step")[];
    const mean = (key: K | "step"): number => all.reduce((sum, each) => sum + each[key], 0) / all.length;
    return Object.fromEntries(keys.map((key) => [key, mean(key)])) as Record<K | "step", number>;
  });
}
