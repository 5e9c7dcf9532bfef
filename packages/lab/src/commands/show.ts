// swiglu-lab show NAME: everything about one activation, with a plot of its value and its slope.
import plot from "simple-ascii-chart";
import { type Activation, gradientExpressions, latex, textWithParts } from "swiglu";
import { axisName, familyOf, parameterText, sampleActivation } from "../activation/samples.js";
import { allActivations, findActivation } from "../config/variants.js";
import { heading } from "../terminal/style.js";

/**
 * Formula, exact gradient, LaTeX, defaults, source and plot.
 *
 * @param name of the catalogue, or of an activation defined in one of the files
 * @throws UserError with the nearest names when there is none
 */
export function show(name: string, files: readonly string[]): string {
  const activation = findActivation(name, allActivations(files));
  const parameters = parameterText(activation);
  const slopes = Object.entries(gradientExpressions(activation));
  const facts = [
    ["kind", `${familyOf(activation)}, a function of ${activation.inputs.join(" and ")}`],
    ...(activation.self === undefined ? [] : [["self", `${activation.self} is the layer's own input`]]),
    ...(parameters === "" ? [] : [["parameters", parameters]]),
    ["value", textWithParts(activation.expression)],
    ...slopes.map(([input, slope]) => [`d/d ${input}`, textWithParts(slope)]),
    ["LaTeX", latex(activation.expression)],
    ["source", activation.source.replace(/\s+/g, " ")],
  ];
  const width = Math.max(...facts.map(([label = ""]) => label.length));
  const lines = facts.map(([label = "", value = ""]) => `  ${label.padEnd(width)}  ${value}`);
  return [heading(activation.name), ...lines, "", ...chart(activation)].join("\n");
}

function chart(activation: Activation): string[] {
  const samples = sampleActivation(activation, -5, 5, 61);
  const draw = (title: string, all: [number, number][]): string => {
    const points = all.filter(([, y]) => Number.isFinite(y));
    if (points.length < 2) return `${title}: not finite here`;
    const ticks = roundTicks(points.map(([, y]) => y));
    const digits = Math.max(...ticks.map((tick) => `${tick}`.split(".")[1]?.length ?? 0));
    return plot(points, {
      width: 60,
      height: 14,
      title,
      xLabel: axisName(activation),
      customXAxisTicks: [-4, -2, 0, 2, 4],
      customYAxisTicks: ticks,
      formatter: (value, { axis }) => value.toFixed(axis === "y" ? digits : 0),
    })
      .split("\n")
      .map((line) => line.trimEnd())
      .join("\n");
  };
  return [
    draw(
      "value",
      samples.map(({ x, value }) => [x, value]),
    ),
    draw(
      `slope (d/d ${activation.inputs[0]})`,
      samples.map(({ x, slope }) => [x, slope]),
    ),
  ];
}

/** Round values within the range, 1, 2 or 5 times a power of ten apart, about five of them. */
function roundTicks(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) return [low];
  const power = 10 ** Math.floor(Math.log10((high - low) / 5));
  const step =
    [1, 2, 5, 10].map((factor) => factor * power).find((size) => (high - low) / size <= 6) ?? 10 * power;
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
