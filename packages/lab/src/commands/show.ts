// swiglu-lab show NAME: everything about one activation, with a plot of its value and its slope.
import plot from "simple-ascii-chart";
import { type Activation, gradientExpressions, latex, text } from "swiglu";
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
    ["value", text(activation.expression)],
    ...slopes.map(([input, slope]) => [`d/d ${input}`, text(slope)]),
    ["LaTeX", latex(activation.expression)],
    ["source", activation.source],
  ];
  const width = Math.max(...facts.map(([label = ""]) => label.length));
  const lines = facts.map(([label = "", value = ""]) => `  ${label.padEnd(width)}  ${value}`);
  return [heading(activation.name), ...lines, "", ...chart(activation)].join("\n");
}

function chart(activation: Activation): string[] {
  const samples = sampleActivation(activation, -5, 5, 41);
  const draw = (title: string, points: [number, number][]): string =>
    plot(points, {
      width: 60,
      height: 14,
      title,
      xLabel: axisName(activation),
      customXAxisTicks: [-4, -2, 0, 2, 4],
    }).trimEnd();
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
