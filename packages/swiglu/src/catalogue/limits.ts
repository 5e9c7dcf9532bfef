// Limits: the parameters that only bound something. A limit of Infinity means no limit, in every backend and file. The formula is
// then computed without it, so that no arithmetic ever meets the infinity.
import { type Expr, schedule, substitute } from "../expression/expr.js";
import { type Bound, boundOf } from "../expression/operations.js";
import { simplify } from "../expression/simplify.js";
import type { Activation } from "./activation.js";

const found = new WeakMap<Activation, ReadonlySet<string>>();

/**
 * The parameters whose every use is as a bound: `min(a, limit)`, `max(a, -limit)`, `clamp(a, -limit, limit)` or
 * `softClamp(a, limit)`.
 */
export function limitsOf(activation: Activation): ReadonlySet<string> {
  const known = found.get(activation) ?? findLimits(activation);
  found.set(activation, known);
  return known;
}

function findLimits({ expression, parameters }: Activation): ReadonlySet<string> {
  const limits = new Set(Object.keys(parameters));
  const root = simplify(expression);
  /** A limit is an upper bound as it is, and a lower bound where it is negated. */
  const use = (operand: Expr, bound?: Bound): void => {
    const [part, wanted] =
      operand.op === "neg" ? [operand.args[0] as Expr, "lower"] : ([operand, "upper"] as const);
    if (part.op === "variable" && bound !== wanted) limits.delete(part.name);
  };
  use(root);
  for (const node of schedule([root]))
    if ("args" in node)
      node.args.forEach((operand, i) => {
        // What is negated is judged where the negation is used.
        if (node.op === "neg" && operand.op !== "neg") return;
        use(operand, boundOf(node.op, i));
      });
  return limits;
}

/** Whether a parameter may have this value: a finite number, or for a limit Infinity. */
export function isParameterNumber(activation: Activation, name: string, value: unknown): value is number {
  if (typeof value !== "number") return false;
  return Number.isFinite(value) || (value === Infinity && limitsOf(activation).has(name));
}

/** What `isParameterNumber` accepts, for messages: "a finite number", for a limit with "(Infinity for no limit)". */
export const expectedNumber = (activation: Activation, name: string): string =>
  limitsOf(activation).has(name) ? "a finite number (Infinity for no limit)" : "a finite number";

const freed = new WeakMap<Activation, Map<string, Activation>>();

/**
 * An activation and values of its parameters, some of which may be Infinity. The result has a formula without those limits. They
 * are still parameters, with their defaults as values, but the formula does not use them.
 */
export function withoutLimits<T>(
  activation: Activation,
  values: Readonly<Record<string, T | number>>,
): { readonly activation: Activation; readonly parameters: Readonly<Record<string, T | number>> } {
  const names = Object.keys(values).filter((name) => values[name] === Infinity);
  if (names.length === 0) return { activation, parameters: values };
  const forms = freed.get(activation) ?? new Map<string, Activation>();
  freed.set(activation, forms);
  const key = names.join();
  const known = forms.get(key) ?? Object.freeze({ ...activation, expression: unbounded(activation, names) });
  forms.set(key, known);
  const defaults = names.map((name) => [name, activation.parameters[name] as number]);
  return { activation: known, parameters: { ...values, ...Object.fromEntries(defaults) } };
}

function unbounded({ expression }: Activation, names: readonly string[]): Expr {
  return simplify(substitute(expression, Object.fromEntries(names.map((name) => [name, Infinity]))));
}

const dropped = new WeakMap<Activation, Activation>();

/** As `withoutLimits`, but the result does not have those limits as parameters. For callers that need no gradients of them. */
export function dropLimits<T>(
  activation: Activation,
  values: Readonly<Record<string, T | number>>,
): { readonly activation: Activation; readonly parameters: Readonly<Record<string, T | number>> } {
  const free = withoutLimits(activation, values);
  if (free.activation === activation) return free;
  const kept = Object.entries(values).filter(([, value]) => value !== Infinity);
  const others = kept.map(([name]) => [name, activation.parameters[name] as number]);
  const known =
    dropped.get(free.activation) ??
    Object.freeze({ ...free.activation, parameters: Object.freeze(Object.fromEntries(others)) });
  dropped.set(free.activation, known);
  return { activation: known, parameters: Object.fromEntries(kept) };
}
