// The activations themselves: value and slope of every variant, with trained parameters where training left them.
import { axisX, axisY, line, type PlotOptions, ruleX, ruleY } from "@observablehq/plot";
import type { Activation } from "swiglu";
import { axisName, familyOf, type Sample, sampleActivation } from "../activation/samples.js";
import type { Summary } from "../statistics/summary.js";
import type { Panel } from "./learning-charts.js";
import { familyColour, panelFrame, svg } from "./svg.js";

/** One panel per variant in the order of the ranking: the value (solid) and the slope (dashed). */
export function shapePanels({ ranking }: Summary, activations: ReadonlyMap<string, Activation>): Panel[] {
  return ranking.flatMap(({ name, learned }) => {
    const activation = activations.get(name);
    if (activation === undefined) return [];
    const parameters = Object.fromEntries(Object.entries(learned).map(([key, { mean }]) => [key, mean]));
    const samples = sampleActivation(activation, -5, 5, 161, parameters).map(visible);
    const trained = Object.entries(parameters).map(([key, value]) => `, ${key} ${value.toFixed(2)}`);
    return {
      name,
      note: `${axisName(activation)}${trained.join("")}`,
      chart: svg(
        panel(samples, familyColour[familyOf(activation)]),
        `Value and slope of ${name} from -5 to 5`,
      ),
    };
  });
}

/** Values so far outside that they cannot be drawn, or not finite, leave a gap. */
function visible({ x, value, slope }: Sample): Sample {
  const gap = (y: number): number => (Math.abs(y) < 1e4 ? y : Number.NaN);
  return { x, value: gap(value), slope: gap(slope) };
}

function panel(samples: readonly Sample[], colour: string): PlotOptions {
  return {
    ...panelFrame,
    x: { domain: [-5, 5] },
    y: { domain: [-1.5, 3.5] },
    marks: [
      axisX({ ticks: [-4, -2, 0, 2, 4], tickSize: 0, label: null }),
      axisY({ ticks: [-1, 0, 1, 2, 3], tickFormat: "d", tickSize: 0, label: null }),
      ruleX([0], { strokeOpacity: 0.15 }),
      ruleY([0], { strokeOpacity: 0.15 }),
      line(samples, {
        x: "x",
        y: "slope",
        stroke: "currentColor",
        strokeOpacity: 0.6,
        strokeWidth: 1.5,
        strokeDasharray: "4 3",
        clip: true,
      }),
      line(samples, { x: "x", y: "value", stroke: colour, strokeWidth: 2.2, clip: true }),
    ],
  };
}
