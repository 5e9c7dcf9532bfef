// Which activation a kernel computes: its definition from the attributes, with numbers in place of fixed parameters.
// What is fixed costs nothing then: no gradient is computed for it, and a slope of 1 is no multiplication.
import { type Activation, activationFromJson, defineActivation } from "../../catalogue/activation.js";
import { substitute, toExpr } from "../../expression/expr.js";
import type { KernelAttributes } from "../seam.js";

const known = new Map<string, Activation>();

/** The activation of these attributes; its parameters are those that are tensors. */
export function definitionOf({ activation: text, parameters }: KernelAttributes): Activation {
  const key = JSON.stringify([text, parameters]);
  const found = known.get(key) ?? fixed(activationFromJson(JSON.parse(text)), parameters);
  known.set(key, found);
  return found;
}

/** An activation some of whose parameters have the values that they have in float32. */
function fixed(activation: Activation, values: Readonly<Record<string, number>>): Activation {
  const numbers = Object.entries(values).map(([name, value]) => [name, toExpr(Math.fround(value))]);
  const free = Object.entries(activation.parameters).filter(([name]) => !(name in values));
  return defineActivation({
    ...activation,
    parameters: Object.fromEntries(free),
    expression: substitute(activation.expression, Object.fromEntries(numbers)),
  });
}
