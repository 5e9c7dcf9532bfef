// The activation that a kernel computes: its definition from the kernel's attributes, with numbers in place of fixed parameters.
// A fixed parameter then costs nothing: it has no gradient, and a slope of 1 needs no multiplication.
import type { ParameterValue } from "../../call/data.js";
import { type Activation, activationFromJson, defineActivation } from "../../catalogue/activation.js";
import { substitute, toExpr } from "../../expression/expr.js";
import type { KernelAttributes } from "../seam.js";
import type { Run } from "./workplace.js";

/** An activation, and its forms with fixed parameters by their values. */
interface Definition {
  readonly activation: Activation;
  readonly fixed: Map<string, Activation>;
}

const definitions = new Map<string, Definition>();
/** The most sets of fixed values that get kernels of their own. For further sets, parameters are arguments of one kernel. */
const mostFixed = 8;

/** The activation of these attributes. Its parameters are those that are tensors, or all. */
export function definitionOf({ activation: text, parameters }: KernelAttributes): Activation {
  const known = definitions.get(text) ?? {
    activation: activationFromJson(JSON.parse(text)),
    fixed: new Map(),
  };
  definitions.set(text, known);
  const key = JSON.stringify(parameters);
  const found = known.fixed.get(key);
  if (found !== undefined) return found;
  if (known.fixed.size === mostFixed) return known.activation;
  const made = fixed(known.activation, parameters);
  known.fixed.set(key, made);
  return made;
}

/** An activation some of whose parameters have the values that they have in float32. */
function fixed(activation: Activation, values: Readonly<Record<string, number>>): Activation {
  const numbers = Object.entries(values).map(([name, value]) => [name, toExpr(Math.fround(value))]);
  const free = Object.entries(activation.parameters).filter(([name]) => !Object.hasOwn(values, name));
  return defineActivation({
    ...activation,
    parameters: Object.fromEntries(free),
    expression: substitute(activation.expression, Object.fromEntries(numbers)),
  });
}

/** The values of an activation's parameters: a number, or a copy of the channels. */
export function parametersOf(
  run: Run,
  activation: Activation,
  { parameters }: KernelAttributes,
): Record<string, ParameterValue> {
  return Object.fromEntries(
    Object.keys(activation.parameters).map((name) => {
      if (Object.hasOwn(parameters, name)) return [name, parameters[name] as number];
      const values = run.numbers(`parameter.${name}`);
      return [name, values.length === 1 ? (values[0] as number) : values.slice()];
    }),
  );
}

/** The gradients of the parameters that are tensors as results, in the order of the parameters. */
export function outputParameters(run: Run, gradients: Readonly<Record<string, ParameterValue>>): void {
  for (const [name, value] of Object.entries(gradients))
    if (Object.hasOwn(run.inputs, `parameter.${name}`))
      run.outputOf(run.shape(`parameter.${name}`), typeof value === "number" ? [value] : value);
}
