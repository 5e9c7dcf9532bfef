// swiglu-lab list: the catalogue, one line per activation.
import { activations, textWithParts } from "swiglu";
import { familyOf, parameterText } from "../activation/samples.js";
import { table } from "../terminal/table.js";

/** The catalogue as a table (name, kind, parameters with their defaults, formula), and what to do with it. */
export function list(): string {
  const rows = Object.values(activations).map((activation) => [
    activation.name,
    familyOf(activation),
    parameterText(activation),
    textWithParts(activation.expression),
  ]);
  return [
    table(["name", "kind", "parameters", "formula"], rows),
    "",
    "swiglu-lab show NAME tells more. swiglu-lab compare takes any of these names, and NAME-trained where there are parameters.",
  ].join("\n");
}
