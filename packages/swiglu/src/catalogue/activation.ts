// What an activation is: a name, an expression over its inputs and parameters, defaults, and a source.
// A definition is data; `defineActivation` checks it, and everything else in the library is derived from it.

import { listing, short, shown } from "../errors.js";
import { differentiate } from "../expression/differentiate.js";
import {
  type Expr,
  mul,
  type Operand,
  schedule,
  substitute,
  toExpr,
  variablesOf,
} from "../expression/expr.js";
import { checkName, type ExpressionJson, expressionFromJson, expressionToJson } from "../expression/json.js";
import { simplifyAll } from "../expression/simplify.js";

/** Unary activations take `x`; gated ones take `gate` and `up`. */
export type Kind = "unary" | "gated";

/** An activation whose kind and parameters are known to the compiler; see `defineActivation`. */
export interface Activation<K extends Kind = Kind, P extends string = string> {
  readonly name: string;
  readonly kind: K;
  /** `["x"]` or `["gate", "up"]` */
  readonly inputs: readonly InputName<K>[];
  /** Parameter names with their default values. */
  readonly parameters: Readonly<Record<P, number>>;
  /** The formula, over the inputs and parameters. */
  readonly expression: Expr;
  /** Self-gated activations: the input that is the first projection itself. The other input is a square projection of it. */
  readonly self?: "gate" | "up";
  /** Who published it and where it is used. */
  readonly source: string;
}

export type InputName<K extends Kind> = { unary: "x"; gated: "gate" | "up" }[K];
export type ParameterName<A extends Activation> = keyof A["parameters"] & string;
/** One `T` for each input of the activation: `{ x }` or `{ gate, up }`. */
export type Inputs<A extends Activation, T> = InputsOfKind<A["kind"], T>;
type InputsOfKind<K extends Kind, T> = K extends Kind ? Readonly<Record<InputName<K>, T>> : never;
/**
 * A `T` for some of the activation's parameters; the others take their defaults. For a limit (such as `swigluClamped`'s), which
 * only bounds something, Infinity means none, as a number or for a channel.
 */
export type Parameters<A extends Activation, T> = [ParameterName<A>] extends [never]
  ? Readonly<Record<string, never>>
  : Readonly<Partial<Record<ParameterName<A>, T>>>;

/** What `defineActivation` takes. */
export interface Definition<K extends Kind = Kind, P extends string = string> {
  readonly name: string;
  readonly kind: K;
  readonly expression: Operand;
  readonly parameters?: Readonly<Record<P, number>>;
  readonly self?: "gate" | "up";
  readonly source?: string;
}

const inputNames: { readonly [K in Kind]: readonly InputName<K>[] } = {
  unary: ["x"],
  gated: ["gate", "up"],
};

/** Names of tensors and weights, which no parameter may have. */
const reserved: ReadonlySet<string> = new Set("x gate up packed in square down dy".split(" "));

/** More than any formula needs; every kernel takes them all as arguments. */
const mostParameters = 64;
/** Enough for a citation. The definition is part of records, files and the keys of caches. */
const longestSource = 2000;

/**
 * Defines an activation of your own; it behaves exactly like a built-in one in every backend, layer and tool.
 *
 * The expression may use the inputs of its kind and every parameter, and nothing else. Throws a TypeError that names
 * the field and the fix for: a bad name (also one that every object of JavaScript has, such as `constructor`), a reserved or
 * unused parameter, a default that is not finite, an unbound name.
 *
 * @example
 * const { mul, sigmoid } = expressions;
 * const siglu = defineActivation({
 *   name: "siglu",
 *   kind: "gated",
 *   parameters: { slope: 2 },
 *   expression: mul(sigmoid(mul("slope", "gate")), "up"),
 * });
 * evaluate(siglu, { gate: 0, up: 3 }) // 1.5
 */
export function defineActivation<const K extends Kind, P extends string = never>(
  definition: Definition<K, P>,
): Activation<K, P> {
  const { kind, self, source = "user-defined" } = definition;
  const name = checkName(definition.name, "name");
  if (!Object.hasOwn(inputNames, kind))
    throw new TypeError(`${name}: kind is ${short(String(kind))}, expected "unary" or "gated"`);
  if (self !== undefined && (kind !== "gated" || (self !== "gate" && self !== "up")))
    throw new TypeError(
      `${name}: self is ${short(String(self))}, expected "gate" or "up", on a gated activation`,
    );
  if (typeof source !== "string")
    throw new TypeError(`${name}: source is ${typeof source}, expected a string`);
  if (source.length > longestSource)
    throw new RangeError(
      `${name}: source has ${source.length} characters, at most ${longestSource} are kept`,
    );
  const parameters = checkParameters(name, definition.parameters ?? ({} as Record<P, number>));
  const inputs: readonly InputName<K>[] = inputNames[kind];
  const expression = toExpr(definition.expression);
  checkVariables(name, expression, inputs, Object.keys(parameters));
  return Object.freeze({
    name,
    kind,
    inputs,
    parameters,
    expression,
    ...(self === undefined ? {} : { self }),
    source,
  });
}

function checkParameters<P extends string>(owner: string, parameters: Readonly<Record<P, number>>) {
  if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters))
    throw new TypeError(`${owner}: parameters must be an object of names and default values`);
  const entries = Object.entries<unknown>(parameters);
  if (entries.length > mostParameters)
    throw new RangeError(
      `${owner}: has ${entries.length} parameters, at most ${mostParameters} are possible`,
    );
  for (const [name, value] of Object.entries<unknown>(parameters)) {
    checkName(name, `${owner}: a parameter`);
    if (reserved.has(name))
      throw new TypeError(`${owner}: parameter ${name} has a reserved name (${listing([...reserved])})`);
    if (typeof value !== "number" || !Number.isFinite(value))
      throw new TypeError(`${owner}: parameter ${name} is ${short(String(value))}, expected a finite number`);
  }
  return Object.freeze({ ...parameters });
}

function checkVariables(owner: string, expression: Expr, inputs: readonly string[], parameters: string[]) {
  for (const node of schedule([expression]))
    if (node.op === "num" && !Number.isFinite(node.value))
      throw new TypeError(`${owner}: the expression contains a constant that is not finite, ${node.value}`);
  const used = variablesOf(expression);
  const bound = [...inputs, ...parameters];
  for (const name of used)
    if (!bound.includes(name))
      throw new TypeError(
        `${owner}: the expression uses ${short(name)}, which is neither an input (${listing(inputs)}) nor a parameter${
          parameters.length > 0 ? ` (${listing(parameters)})` : ""
        }`,
      );
  for (const name of bound)
    if (!used.has(name))
      throw new TypeError(`${owner}: the expression never uses ${name}; remove it or use it`);
}

/** An activation as JSON data, to send to a worker or keep in a file. */
export interface ActivationJson {
  readonly name: string;
  readonly kind: Kind;
  readonly parameters?: Readonly<Record<string, number>>;
  readonly self?: "gate" | "up";
  readonly source?: string;
  readonly expression: ExpressionJson;
}

/** Writes an activation as JSON data; `activationFromJson` reads it back unchanged. */
export function activationToJson(activation: Activation): ActivationJson {
  const { name, kind, parameters, self, source, expression } = activation;
  return {
    name,
    kind,
    parameters,
    ...(self === undefined ? {} : { self }),
    source,
    expression: expressionToJson(expression),
  };
}

const texts = new WeakMap<Activation, string>();

/** An activation's JSON as text, written once. It is the key of compiled kernels and graphs, which equal definitions share. */
export function definitionText(activation: Activation): string {
  const text = texts.get(activation) ?? JSON.stringify(activationToJson(activation));
  texts.set(activation, text);
  return text;
}

/**
 * Reads an activation from JSON data that may come from anywhere. Throws a SyntaxError or a TypeError that names the
 * field, what was expected and what came. Nothing in the data is ever run as code.
 *
 * @example
 * activationFromJson({ name: "siglu", kind: "gated", expression: ["mul", ["sigmoid", "gate"], "up"] })
 */
export function activationFromJson(json: unknown): Activation {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new SyntaxError(`activation is ${shown(json)}, expected { name, kind, expression, ... }`);
  const known = ["name", "kind", "parameters", "self", "source", "expression"];
  const extra = Object.keys(json).find((key) => !known.includes(key));
  if (extra !== undefined)
    throw new SyntaxError(`activation has an unknown field ${short(extra)}: expected ${listing(known)}`);
  const data = json as Partial<Definition> & { readonly expression?: unknown };
  return defineActivation({
    ...(data as Definition),
    expression: expressionFromJson(data.expression),
  });
}

const gatedForms = new WeakMap<Activation, Activation<"gated">>();

/**
 * The gated form of an activation. A unary `a` becomes `a(gate) * up`, always as the same object. A gated one is returned
 * unchanged.
 */
export function asGated(activation: Activation): Activation<"gated"> {
  if (activation.kind === "gated") return activation as Activation<"gated">;
  const known = gatedForms.get(activation);
  if (known !== undefined) return known;
  const { name, parameters, source, expression } = activation;
  const gated = defineActivation({
    name,
    kind: "gated",
    parameters,
    source,
    expression: mul(substitute(expression, { x: "gate" }), "up"),
  });
  gatedForms.set(activation, gated);
  return gated;
}

const gradients = new WeakMap<Activation, Readonly<Record<string, Expr>>>();

/**
 * The exact derivatives of an activation in each of its inputs and parameters, by name, sharing common parts.
 * Derived once for each activation.
 */
export function gradientExpressions(activation: Activation): Readonly<Record<string, Expr>> {
  const known = gradients.get(activation);
  if (known !== undefined) return known;
  const names = [...activation.inputs, ...Object.keys(activation.parameters)];
  const derived = simplifyAll(names.map((name) => differentiate(activation.expression, name)));
  const record = Object.fromEntries(names.map((name, i) => [name, derived[i] as Expr]));
  gradients.set(activation, record);
  return record;
}
