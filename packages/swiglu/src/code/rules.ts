// What a target language is to `toCode`: one table of rules, and how it writes numbers, names, statements and functions.
import type { Precision } from "../expression/bound.js";
import { Binding, type Written as Text, withBrackets } from "../expression/brackets.js";
import type { Operands, Operation } from "../expression/expr.js";
import type { LoweredOperation } from "../expression/lower.js";

/** A piece of code, and what it depends on: numbers only, parameters too, or the inputs as well. */
export interface Written extends Text {
  readonly of: "numbers" | "parameters" | "inputs";
}

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

const { infix, ...brackets } = withBrackets("(", ")");
export const { hold, call } = brackets;

/** Arithmetic, which all these languages write alike. */
export const arithmetic = {
  neg: (a: Text): Text => ({ text: `-${hold(a, Binding.Atom)}`, binding: Binding.Product }),
  add: infix(" + ", Binding.Sum),
  sub: infix(" - ", Binding.Sum),
  mul: infix(" * ", Binding.Product),
  div: infix(" / ", Binding.Product),
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
