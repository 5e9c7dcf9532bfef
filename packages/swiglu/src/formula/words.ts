// The words of formulas: what is a function, with how many arguments, and what is a constant.
import type { Activation } from "../catalogue/activation.js";
import { activations } from "../catalogue/catalogue.js";
import { listing, own } from "../errors.js";
import { apply, arity, type Expr, type Operation, substitute } from "../expression/expr.js";

/** A function that formulas may call. */
export interface FormulaFunction {
  /** The arguments by name; from `least` on they may be left out. */
  readonly takes: string;
  readonly least: number;
  readonly most: number;
  readonly build: (args: readonly Expr[]) => Expr;
}

/** The arguments of operations that have more than one, in words. */
const operands: Readonly<Partial<Record<Operation, readonly string[]>>> = {
  softClamp: ["x", "limit"],
  clamp: ["x", "low", "high"],
  selectGreater: ["a", "b", "then", "otherwise"],
};

/** Other names of operations. */
const aliases: Readonly<Record<string, Operation>> = { ln: "log", arctan: "atan", logistic: "sigmoid" };

/** Numbers by name. */
const constants: Readonly<Record<string, number>> = {
  pi: Math.PI,
  Infinity: Number.POSITIVE_INFINITY,
  NaN: Number.NaN,
};

export const constant = (name: string): number | undefined => own(constants, name);

/** The names of all functions, for suggestions. */
export const functionNames: readonly string[] = [
  ...new Set([...Object.keys(arity), ...Object.keys(activations), ...Object.keys(aliases)]),
];

/** The function of a name: an operation of expressions, or an activation of the catalogue. */
export function functionOf(name: string): FormulaFunction | undefined {
  const op = own(aliases, name) ?? (Object.hasOwn(arity, name) ? (name as Operation) : undefined);
  if (op !== undefined) {
    const names = operands[op] ?? ["a", "b"].slice(0, arity[op]);
    return {
      takes: `${name}(${(arity[op] === 1 ? ["x"] : names).join(", ")})`,
      least: arity[op],
      most: arity[op],
      build: (args) => apply(op, args),
    };
  }
  const activation = own<Activation>(activations, name);
  return activation && activationFunction(activation);
}

/** An activation's inputs, then its parameters, which take their defaults where they are left out. */
function activationFunction({ name, inputs, parameters, expression }: Activation): FormulaFunction {
  const optional = Object.keys(parameters);
  const names = [...inputs, ...optional];
  return {
    takes:
      optional.length === 0
        ? `${name}(${inputs.join(", ")})`
        : `${name}(${names.join(", ")}), where ${listing(optional)} may be left out`,
    least: inputs.length,
    most: names.length,
    build: (args) =>
      substitute(
        expression,
        Object.fromEntries(names.map((key, i) => [key, args[i] ?? (parameters[key] as number)])),
      ),
  };
}
