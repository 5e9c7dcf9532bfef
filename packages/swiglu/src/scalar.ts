// One activation at one point, in float64: `evaluate` and `gradient`, to which everything else is compared.
import {
  type Activation,
  gradientExpressions,
  type InputName,
  type Inputs,
  type ParameterName,
  type Parameters,
} from "./catalogue/activation.js";
import { expectedNumber, isParameterNumber, withoutLimits } from "./catalogue/limits.js";
import { listing, own, rejectUnknownKeys, shown } from "./errors.js";
import { compile, type Tape } from "./expression/tape.js";

const values = new WeakMap<Activation, Tape>();
const gradients = new WeakMap<Activation, Tape>();

/** The tape of an activation's value; it takes the inputs, then the parameters. */
function valueTape(activation: Activation): Tape {
  const tape = values.get(activation) ?? compile([activation.expression], variableNames(activation));
  values.set(activation, tape);
  return tape;
}

/** The tape of all derivatives of an activation. It takes the same values. */
function gradientTape(activation: Activation): Tape {
  const tape =
    gradients.get(activation) ??
    compile(Object.values(gradientExpressions(activation)), variableNames(activation));
  gradients.set(activation, tape);
  return tape;
}

/** The inputs, then the parameters: the order in which tapes and gradients have them. */
export function variableNames(activation: Activation): string[] {
  return [...activation.inputs, ...Object.keys(activation.parameters)];
}

/**
 * The activation's value in float64. Parameters not given take their defaults.
 * Throws a TypeError for a missing or unknown input or parameter, or a parameter that is not a finite number; a limit may
 * be Infinity, which means none. Only an object's own names count, not those that it inherits.
 *
 * @example
 * evaluate(swiglu, { gate: 1.5, up: -2 }, { beta: 1.7 }) // -2.78272...
 */
export function evaluate<A extends Activation>(
  activation: A,
  inputs: Inputs<A, number>,
  parameters?: Parameters<A, number>,
): number {
  const at = point(activation, inputs, parameters ?? {});
  return valueTape(at.activation).run(at.values)[0] as number;
}

/**
 * The exact derivatives in every input and parameter, by name, in float64. Errors as for `evaluate`.
 *
 * @example
 * gradient(swiglu, { gate: 0, up: 3 }) // { gate: 1.5, up: 0, beta: 0 }
 */
export function gradient<A extends Activation>(
  activation: A,
  inputs: Inputs<A, number>,
  parameters?: Parameters<A, number>,
): Record<InputName<A["kind"]> | ParameterName<A>, number> {
  const at = point(activation, inputs, parameters ?? {});
  const slopes = gradientTape(at.activation).run(at.values);
  const entries = variableNames(activation).map((name, i) => [name, slopes[i] as number]);
  return Object.fromEntries(entries) as Record<InputName<A["kind"]> | ParameterName<A>, number>;
}

/** Checks inputs and parameters. Returns the formula, without limits of Infinity, and the values of its variables in order. */
function point(activation: Activation, inputs: object, parameters: object) {
  const given = inputs as Readonly<Record<string, unknown>>;
  rejectUnknownKeys(given, activation.inputs, "input", activation.name);
  for (const name of activation.inputs)
    if (typeof own(given, name) !== "number")
      throw new TypeError(
        `input ${name} is ${typeof own(given, name)}, expected a number: ${activation.name} takes ${listing(activation.inputs)}`,
      );
  const values = resolveParameters(activation, parameters, (value, name) =>
    checkNumber(activation, value, name),
  );
  const names = Object.keys(activation.parameters);
  const free = withoutLimits<number>(
    activation,
    Object.fromEntries(names.map((name, i) => [name, values[i] as number])),
  );
  return {
    activation: free.activation,
    values: [...activation.inputs.map((name) => given[name] as number), ...Object.values(free.parameters)],
  };
}

function checkNumber(activation: Activation, value: unknown, name: string): number {
  if (!isParameterNumber(activation, name, value))
    throw new TypeError(`parameter ${name} is ${shown(value)}, expected ${expectedNumber(activation, name)}`);
  return value;
}

/** The activation's parameters in order: the value given, which `check` checks, or the default. */
export function resolveParameters<T>(
  activation: Activation,
  given: object,
  check: (value: unknown, name: string) => T,
): (T | number)[] {
  rejectUnknownKeys(given, Object.keys(activation.parameters), "parameter", activation.name);
  const values = given as Readonly<Record<string, unknown>>;
  return Object.entries(activation.parameters).map(([name, fallback]) => {
    const value = own(values, name);
    return value === undefined ? fallback : check(value, name);
  });
}
