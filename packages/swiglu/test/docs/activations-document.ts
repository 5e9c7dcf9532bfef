// Writes docs/activations.md from the catalogue: formula, gradients, parameters and source of every activation.
import {
  type Activation,
  activations,
  gradientExpressions,
  latexWithParts,
  textWithParts,
} from "../../src/index.js";

/** The whole document. */
export function activationsDocument(): string {
  const all = Object.values(activations) as readonly Activation[];
  const sections = (kind: string) => all.filter((activation) => activation.kind === kind).map(section);
  return `${[
    "# Activations",
    "Generated from the catalogue by `npm run docs`; a test checks that it is current.",
    "$g$ is the gate and $u$ is up; $\\sigma$ is the logistic function, $\\Phi$ the normal distribution's. Gradients are exact; " +
      "long parts that occur more than once are named; `sigmoidSlope(z)` is `sigmoid(z) * sigmoid(-z)`. Each activation is exported from `swiglu` under its name. " +
      "A limit of `Infinity` means none: the formula is then the one without that bound, and the limit's gradient is 0.",
    overview(all),
    "## Unary",
    ...sections("unary"),
    "## Gated",
    ...sections("gated"),
  ].join("\n\n")}\n`;
}

function overview(all: readonly Activation[]): string {
  const rows = all.map(
    ({ name, kind, expression, parameters }) =>
      `| [${name}](#${name.toLowerCase()}) | ${kind} | \`${textWithParts(expression)}\` | ${defaults(parameters) || "-"} |`,
  );
  return ["| name | kind | formula | parameters |", "|---|---|---|---|", ...rows].join("\n");
}

function defaults(parameters: Readonly<Record<string, number>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ");
}

function section(activation: Activation): string {
  const { name, expression, parameters, self, source } = activation;
  const gradients = Object.entries(gradientExpressions(activation)).map(
    ([variable, slope]) => `d/d${variable} = ${textWithParts(slope)}`,
  );
  const notes = [
    ...(Object.keys(parameters).length > 0 ? [`Parameters: ${defaults(parameters)}.`] : []),
    ...(self ? [`Self-gated: ${self} is the layer's own input, the other one square projection of it.`] : []),
    `Source: ${source}.`,
  ];
  return [
    `### ${name}`,
    `$$${latexWithParts(expression)}$$`,
    "```",
    ...gradients,
    "```",
    notes.join(" "),
  ].join("\n");
}
