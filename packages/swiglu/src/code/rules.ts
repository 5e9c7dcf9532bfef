// What a target language is to `toCode`: one table of rules, and how it writes numbers, names, statements and functions.
import type { Precision } from "../expression/bound.js";
import type { Operands, Operation } from "../expression/expr.js";
import type { LoweredOperation } from "../expression/lower.js";

/** How tightly written code holds together. */
export enum Binding {
  Choice,
  Sum,
  Product,
  Minus,
  Atom,
}

/** A piece of code. */
export interface Written {
  readonly text: string;
  readonly binding: Binding;
  /** What it depends on: numbers only, parameters too, or the inputs as well. */
  readonly of: "numbers" | "parameters" | "inputs";
}

/** A piece of code before it is known what it depends on: the engine knows that from the operands. */
export type Text = Pick<Written, "text" | "binding">;

/** A rule writes an operation; "helper" means a function made from the formula that `lower` has for it. */
export type CodeRules = {
  readonly [O in Operation]:
    | ((...operands: Operands<O, Written>) => Text)
    | (O extends LoweredOperation ? "helper" : never);
};

export interface Argument {
  readonly name: string;
  /** The parameter's default, as written; undefined for inputs. */
  readonly value?: string;
}

export interface CodeFunction {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly statements: readonly string[];
  readonly result: string;
  /** What is said of it: the formula, the source. Empty for helpers but their formula. */
  readonly comment: readonly string[];
  readonly helper: boolean;
}

export interface Target {
  readonly rules: CodeRules;
  /** The precision that helpers are made for. */
  readonly precision: Precision;
  readonly number: (value: number) => string;
  /** How names are written by custom there. */
  readonly name: (name: string) => string;
  readonly statement: (name: string, text: string) => string;
  readonly write: (definition: CodeFunction) => string;
  /** Stands before everything: imports. */
  readonly head?: string;
  /** Stands before helpers, where a language wants them first. */
  readonly helpersFirst: boolean;
  /** Whether the framework differentiates the code: what is not chosen must then stay finite too. */
  readonly differentiated?: boolean;
  /** A statement that makes a tensor of a parameter, for operations of parameters alone, where functions take tensors only. */
  readonly toTensor?: (parameter: string, input: string) => string;
}

export const atom = (text: string): Text => ({ text, binding: Binding.Atom });
export const hold = ({ text, binding }: Text, least: Binding): string =>
  binding < least ? `(${text})` : text;
export const call =
  (name: string) =>
  (...args: readonly Text[]): Text =>
    atom(`${name}(${args.map(({ text }) => text).join(", ")})`);

const infix =
  (operator: string, binding: Binding.Sum | Binding.Product) =>
  (a: Text, b: Text): Text => ({
    text: `${hold(a, binding)} ${operator} ${hold(b, binding + 1)}`,
    binding,
  });

/** Arithmetic, which all these languages write alike. */
export const arithmetic = {
  neg: (a: Text): Text => ({ text: `-${hold(a, Binding.Atom)}`, binding: Binding.Minus }),
  add: infix("+", Binding.Sum),
  sub: infix("-", Binding.Sum),
  mul: infix("*", Binding.Product),
  div: infix("/", Binding.Product),
};

/** `a > b ? then : otherwise`, as C and JavaScript write it. */
export const ternary = (a: Text, b: Text, then: Text, otherwise: Text): Text => ({
  text: `${hold(a, Binding.Sum)} > ${hold(b, Binding.Sum)} ? ${hold(then, Binding.Sum)} : ${hold(otherwise, Binding.Sum)}`,
  binding: Binding.Choice,
});

/** The nearest finite float32 with a point or an exponent, in nine digits; throws a RangeError for what is no number. */
export function float32Text(value: number): string {
  if (Number.isNaN(value))
    throw new RangeError("the formula has a part that is not a number (NaN), which this target cannot hold");
  const most = 3.4028233e38; // nine digits of the largest number round up beyond it
  const short = String(Number(Math.fround(Math.min(Math.max(value, -most), most)).toPrecision(9)));
  return /[.e]/.test(short) ? short : `${short}.0`;
}
