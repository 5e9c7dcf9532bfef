// Activations as functions of jax-js arrays, for use under grad, vjp, jvp, jit and vmap.
// As everywhere in jax-js, a function consumes the arrays that it is given. After an error they still belong to the caller.
import { type Array as JaxArray, numpy as np } from "@jax-js/jax";
import type { Activation, Inputs, Parameters } from "../catalogue/activation.js";
import { activations } from "../catalogue/catalogue.js";
import { dropLimits, expectedNumber, isParameterNumber } from "../catalogue/limits.js";
import { listing, own, rejectUnknownKeys, shown } from "../errors.js";
import { type PackedLayout, packedViews, type View } from "../layout.js";
import { resolveParameters } from "../scalar.js";
import { emit } from "./emit.js";

/** A jax-js array (or what a transformation passes in its place), or a number. */
export type JaxValue = JaxArray | number;

/** Gate and up in one array, along `axis` (default the last one). */
export interface JaxPackedInput {
  readonly packed: JaxArray;
  readonly axis?: number;
  readonly layout: PackedLayout;
}

/** The inputs of an activation: `{ x }`, `{ gate, up }`, or `{ packed, axis, layout }` for a gated one. */
export type JaxInputs<A extends Activation> =
  | Inputs<A, JaxValue>
  | (A["kind"] extends "unary" ? never : JaxPackedInput);

/** Parameters by name: numbers, or arrays that broadcast to the inputs' shape, such as one value for each channel. */
export type JaxParameters<A extends Activation> = Parameters<A, JaxValue>;

/** An activation as a function: `(x, parameters?)`, or `(gate, up, parameters?)`. */
export type JaxFunction<A extends Activation> = A["kind"] extends "unary"
  ? (x: JaxValue, parameters?: JaxParameters<A>) => JaxArray
  : (gate: JaxValue, up: JaxValue, parameters?: JaxParameters<A>) => JaxArray;

/**
 * `y = activation(inputs)`, elementwise; the inputs have one shape, which is the result's. Differentiable in every input
 * and parameter, as often as you like. Under jit it becomes one kernel.
 * Throws a TypeError or RangeError that names the argument for wrong names, shapes, dtypes, layouts or parameters.
 *
 * @example
 * const y = activate(swiglu, { gate: np.array([1, 2]), up: np.array([3, 4]) }, { beta: 1 });
 * y.shape // [2]
 */
export function activate<A extends Activation>(
  activation: A,
  inputs: JaxInputs<A>,
  parameters?: JaxParameters<A>,
): JaxArray {
  checkActivation(activation);
  if (!Object.hasOwn(inputs, "packed")) return separate(activation, inputs, parameters);
  if (activation.kind !== "gated")
    throw new TypeError(`${activation.name} is unary and takes x; packed is for gated activations`);
  const { packed, axis = -1, layout } = inputs as JaxPackedInput;
  rejectUnknownKeys(inputs, ["packed", "axis", "layout"], "input", `a packed ${activation.name}`);
  const { gate, up, shape } = packedViews(shapeOf(checkArray(packed, "packed")), { axis, layout });
  const values = checkParameters(activation, parameters ?? {}, shape, "the unpacked shape");
  const halves = { gate: half(packed.ref, gate, shape), up: half(packed, up, shape) };
  return compute(activation, halves, values);
}

/**
 * An activation of the catalogue or of your own as a function of arrays: `f(x, parameters?)` for a unary one,
 * `f(gate, up, parameters?)` for a gated one. Otherwise as `activate`.
 *
 * @example
 * const f = jaxFunction(swiglu);
 * f(np.array([1, 2]), np.array([3, 4]), { beta: 1.5 }).shape // [2]
 */
export function jaxFunction<A extends Activation>(activation: A): JaxFunction<A> {
  checkActivation(activation);
  const { inputs, kind, name } = activation;
  const call = (...given: readonly unknown[]): JaxArray => {
    if (given.length < inputs.length || given.length > inputs.length + 1)
      throw new TypeError(
        `${name} got ${given.length} arguments, expected ${listing([...inputs, "optionally an object of parameters"])}${
          kind === "gated" ? "; for one packed array use activate" : ""
        }`,
      );
    const named = Object.fromEntries(inputs.map((input, i) => [input, given[i]]));
    return separate(activation, named, given[inputs.length] as object | undefined);
  };
  return call as JaxFunction<A>;
}

type Catalogue = typeof activations;

/**
 * Every activation of the catalogue as a function, by name.
 *
 * @example
 * functions.silu(np.array([0, 1])).shape // [2]
 */
export const functions: { readonly [N in keyof Catalogue]: JaxFunction<Catalogue[N]> } =
  /* @__PURE__ */ allFunctions();

function allFunctions() {
  const all = Object.entries(activations).map(([name, activation]) => [name, jaxFunction(activation)]);
  return Object.fromEntries(all) as { readonly [N in keyof Catalogue]: JaxFunction<Catalogue[N]> };
}

/** Computes an activation of its inputs and parameters by name. */
function compute(
  given: Activation,
  inputs: Readonly<Record<string, JaxValue>>,
  values: Readonly<Record<string, JaxValue>>,
): JaxArray {
  const { activation, parameters } = dropLimits(given, values);
  const arrays = Object.entries({ ...inputs, ...parameters }).map(([name, value]) => [
    name,
    typeof value === "number" ? np.array(value) : value,
  ]);
  return emit(activation.expression, Object.fromEntries(arrays));
}

function separate(activation: Activation, inputs: object, parameters: object | undefined): JaxArray {
  const { name, inputs: names } = activation;
  rejectUnknownKeys(inputs, names, "input", name);
  const given = inputs as Readonly<Record<string, unknown>>;
  for (const input of names)
    if (own(given, input) === undefined)
      throw new TypeError(`input ${input} is missing: ${name} takes ${listing(names)}`);
  const values = names.map((input) => checkArray(given[input], input));
  const [first, second] = values.map(shapeOf) as [readonly number[], (readonly number[])?];
  if (second !== undefined && String(first) !== String(second))
    throw new RangeError(
      `${names[0]} has shape [${first.join(", ")}], ${names[1]} has [${second.join(", ")}]: they must be equal`,
    );
  const checked = checkParameters(activation, parameters ?? {}, first, `the shape of ${names[0]}`);
  const named = Object.fromEntries(names.map((input, i) => [input, values[i] as JaxValue]));
  return compute(activation, named, checked);
}

/** One half of a packed array: its runs of consecutive elements, which alternate with the runs of the other half. */
function half(packed: JaxArray, { run, offset }: View, shape: readonly number[]): JaxArray {
  const runs = run === 0 ? 0 : packed.size / (2 * run);
  const slot = run === 0 ? 0 : offset / run;
  return packed
    .reshape([runs, 2, run])
    .slice([], slot, [])
    .reshape([...shape]);
}

/** All parameters by name: what was given, checked, or else the defaults. */
export function checkParameters(
  activation: Activation,
  given: object,
  shape: readonly number[],
  what: string,
): Readonly<Record<string, JaxValue>> {
  const names = Object.keys(activation.parameters);
  const values = resolveParameters<JaxValue>(activation, given, (value, name) => {
    if (typeof value !== "number") return checkArray(value, `parameter ${name}`);
    if (!isParameterNumber(activation, name, value))
      throw new TypeError(
        `parameter ${name} is ${value}, expected ${expectedNumber(activation, name)} or an array`,
      );
    return value;
  });
  values.forEach((value, i) => {
    const own = shapeOf(value);
    const fits = own.every((size, k) => size === 1 || size === shape[shape.length - own.length + k]);
    if (own.length > shape.length || !fits)
      throw new RangeError(
        `parameter ${names[i]} has shape [${own.join(", ")}], which does not broadcast to ${what}, [${shape.join(", ")}]: pass a number, or one value for each channel of the last axis`,
      );
  });
  return Object.fromEntries(names.map((name, i) => [name, values[i] as JaxValue]));
}

/** Checks that a value is a number or an array of floats. */
export function checkArray(value: unknown, name: string): JaxValue {
  if (typeof value === "number") return value;
  if (typeof value !== "object" || value === null || !("dtype" in value && "astype" in value))
    throw new TypeError(
      `${name} is ${value === null ? "null" : Array.isArray(value) ? "an array of JavaScript" : typeof value}, expected a jax-js array: convert with numpy.array`,
    );
  const array = value as JaxArray;
  if (!floats.has(array.dtype))
    throw new TypeError(
      `${name} has dtype ${array.dtype}, expected floats: convert with astype(numpy.float32)`,
    );
  // What a transformation traces has no device.
  if (array.dtype === "float16" && (array as { readonly device?: string }).device === "wasm")
    throw new TypeError(
      `${name} has dtype float16, in which jax-js's wasm device computes nothing: make it in float32, or on another device`,
    );
  return array;
}

const floats: ReadonlySet<string> = new Set(["float16", "float32", "float64"]);

export const shapeOf = (value: JaxValue): readonly number[] => (typeof value === "number" ? [] : value.shape);

/** Checks that an activation is one. Throws a TypeError. */
export function checkActivation(activation: unknown): asserts activation is Activation {
  if (typeof activation !== "object" || activation === null || !("expression" in activation))
    throw new TypeError(
      `activation is ${shown(activation)}, expected one of the catalogue, such as swiglu, or of defineActivation: activationByName finds one by its name`,
    );
}
