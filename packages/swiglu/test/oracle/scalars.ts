// `evaluate` and `gradient` from one record that holds inputs and parameters together, as the oracle's points do.
import type { Activation } from "../../src/catalogue/activation.js";
import { evaluate, gradient } from "../../src/scalar.js";

type Point = Readonly<Record<string, number>>;

const pick = (point: Point, names: readonly string[]): Record<string, number> =>
  Object.fromEntries(names.filter((name) => name in point).map((name) => [name, point[name]!]));

const split = (activation: Activation, point: Point) => ({
  inputs: pick(point, activation.inputs) as { x: number } | { gate: number; up: number },
  parameters: pick(point, Object.keys(activation.parameters)),
});

export function evaluateAt(activation: Activation, point: Point): number {
  const { inputs, parameters } = split(activation, point);
  return evaluate(activation, inputs, parameters);
}

export function gradientAt(activation: Activation, point: Point): Readonly<Record<string, number>> {
  const { inputs, parameters } = split(activation, point);
  return gradient(activation, inputs, parameters);
}
