// One activation at one point, in float64: `evaluate` and `gradient`, the definitions that everything is checked against.
import {
  type Activation,
  gradientExpressions,
  type InputName,
  type Inputs,
  type ParameterName,
  type Parameters,
} from "./catalogue/activation.js";
import { listing, rejectUnknownKeys } from "./errors.js";
import { compile, type Tape } from "./expression/tape.js";

interface Compiled {
  readonly value: Tape;
  readonly gradient: Tape;
}
const tapes = new WeakMap<Activation, Compiled>();

/** The tapes of an activation's value and of all its derivatives; both take the inputs, then the parameters. */
function compiled(activation: Activation): Compiled {
  const known = tapes.get(activation);
  if (known !== undefined) return known;
  const names = variableNames(activation);
  const made = {
    value: compile([activation.expression], names),
    gradient: compile(Object.values(gradientExpressions(activation)), names),
  };
  tapes.set(activation, made);
  return made;
}

/** The inputs, then the parameters: the order in which tapes and gradients have them. */
export function variableNames(activation: Activation): string[] {
  return [...activation.inputs, ...Object.keys(activation.parameters)];
}

/**
 * The activation's value in float64. Parameters not given take their defaults.
 * Throws a TypeError for a missing or unknown input or parameter, or a parameter that is not a finite number.
 *
 * @example
 * evaluate(swiglu, { gate: 1.5, up: -2 }, { beta: 1.7 }) // -2.78272...
 */
export function evaluate<A extends Activation>(
  activation: A,
  inputs: Inputs<A, number>,
  parameters?: Parameters<A, number>,
): number {
  return compiled(activation).value.run(point(activation, inputs, parameters ?? {}))[0] as number;
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
  const slopes = compiled(activation).gradient.run(point(activation, inputs, parameters ?? {}));
  const entries = variableNames(activation).map((name, i) => [name, slopes[i] as number]);
  return Object.fromEntries(entries) as Record<InputName<A["kind"]> | ParameterName<A>, number>;
}

/** The values of all variables, in order, from what the caller gave. */
function point(activation: Activation, inputs: object, parameters: object): number[] {
  const given = inputs as Readonly<Record<string, unknown>>;
  rejectUnknownKeys(given, activation.inputs, "input", activation.name);
  for (const name of activation.inputs)
    if (typeof given[name] !== "number")
      throw new TypeError(
        `input ${name} is ${typeof given[name]}, expected a number: ${activation.name} takes ${listing(activation.inputs)}`,
      );
  const values = resolveParameters(activation, parameters, checkNumber);
  return [...activation.inputs.map((name) => given[name] as number), ...values];
}

function checkNumber(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new TypeError(`parameter ${name} is ${String(value)}, expected a finite number`);
  return value;
}

/** The activation's parameters in order: what was given, checked, or else the default. */
export function resolveParameters<T>(
  activation: Activation,
  given: object,
  check: (value: unknown, name: string) => T,
): (T | number)[] {
  rejectUnknownKeys(given, Object.keys(activation.parameters), "parameter", activation.name);
  const values = given as Readonly<Record<string, unknown>>;
  return Object.entries(activation.parameters).map(([name, fallback]) =>
    values[name] === undefined ? fallback : check(values[name], name),
  );
}
