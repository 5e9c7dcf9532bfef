// The grammar of formulas as tables: what holds how tightly, and what each sign makes of its operands.
import {
  add,
  apply,
  div,
  type Expr,
  mul,
  num,
  type Operand,
  selectGreater,
  sub,
} from "../expression/expr.js";
import type { NameToken, Sign, Token } from "./tokens.js";
import type { FormulaFunction } from "./words.js";

/** What waits on the stack for an operand, from the loosest to the tightest. */
export enum Strength {
  Sum = 2,
  Minus = 3,
  Product = 4,
  TightMinus = 5,
  Exponential = 6,
}
/** What is open: an operator, a bracket or a choice that waits for what follows. */
export type Frame =
  | { readonly kind: "operator"; readonly strength: Strength; readonly build: (right: Expr) => Expr }
  | { readonly kind: "group"; readonly token: Token }
  | {
      readonly kind: "call";
      readonly token: NameToken;
      readonly called: FormulaFunction;
      readonly args: Expr[];
    }
  | { readonly kind: "comparison"; readonly token: Token; readonly sign: Sign; readonly left: Expr }
  | { readonly kind: "then"; readonly token: Token; readonly choose: Choose }
  | { readonly kind: "otherwise"; readonly choose: (otherwise: Expr) => Expr };
export type Choose = (then: Expr, otherwise: Expr) => Expr;

/** A comparison and its two outcomes as `selectGreater`. */
export const comparisons: Readonly<Partial<Record<Sign, (a: Expr, b: Expr) => Choose>>> = {
  ">": (a, b) => (then, otherwise) => selectGreater(a, b, then, otherwise),
  "<": (a, b) => (then, otherwise) => selectGreater(b, a, then, otherwise),
  ">=": (a, b) => (then, otherwise) => selectGreater(b, a, otherwise, then),
  "<=": (a, b) => (then, otherwise) => selectGreater(a, b, otherwise, then),
};

export const infix: Readonly<Partial<Record<Sign, readonly [Strength, (a: Operand, b: Operand) => Expr]>>> = {
  "+": [Strength.Sum, add],
  "-": [Strength.Sum, sub],
  "*": [Strength.Product, mul],
  "/": [Strength.Product, div],
};

/** The largest power that is written out as products. */
export const mostExponent = 64;

/** By squaring, with the square last, as notations show it: x^3 is x * (x * x). */
export function wholePower(base: Expr, exponent: number): Expr {
  let result: Expr | undefined;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result === undefined ? square : apply("mul", [result, square]);
    if (rest > 1) square = mul(square, square);
  }
  return result ?? num(1);
}
