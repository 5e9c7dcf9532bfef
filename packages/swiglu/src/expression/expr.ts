// Scalar expressions: the immutable trees in which every activation is written.
// An expression is a number, a variable, or an operation applied to other expressions, which are its operands.
import { postOrder } from "./walk.js";

/**
 * Every operation with its number of operands. All tables of rules are typed by this one, so that none can miss an operation;
 * operations.ts has what else is to be known of each.
 */
export const arity = {
  neg: 1,
  abs: 1,
  exp: 1,
  expm1: 1,
  expResidual: 1,
  log: 1,
  sqrt: 1,
  sigmoid: 1,
  sigmoidSlope: 1,
  softplus: 1,
  tanh: 1,
  tanhResidual: 1,
  normalCdf: 1,
  atan: 1,
  atlu: 1,
  atluSlope: 1,
  relu: 1,
  add: 2,
  sub: 2,
  mul: 2,
  div: 2,
  min: 2,
  max: 2,
  softClamp: 2,
  clamp: 3,
  selectGreater: 4,
} as const;

export type Operation = keyof typeof arity;

interface Tuples<T> {
  1: readonly [T];
  2: readonly [T, T];
  3: readonly [T, T, T];
  4: readonly [T, T, T, T];
}
/** As many values of type `T` as the operation has operands. */
export type Operands<O extends Operation, T> = Tuples<T>[(typeof arity)[O]];

/** A table with one rule for each operation: from its operands, each a `T`, to a result. */
export type Rules<T, Result> = { readonly [O in Operation]: (...operands: Operands<O, T>) => Result };

export interface Num {
  readonly op: "num";
  readonly value: number;
}
export interface Variable {
  readonly op: "variable";
  readonly name: string;
}
export interface Apply<O extends Operation = Operation> {
  readonly op: O;
  readonly args: readonly Expr[];
}
/** A scalar expression. Compare by identity only after `simplify`, which makes equal parts the same object. */
export type Expr = Num | Variable | Apply;

/** What the builders accept: an expression, a number (a constant), or a string (a variable). */
export type Operand = Expr | number | string;

export function num(value: number): Num {
  return { op: "num", value };
}

export function variable(name: string): Variable {
  return { op: "variable", name };
}

export function toExpr(operand: Operand): Expr {
  if (typeof operand === "number") return num(operand);
  if (typeof operand === "string") return variable(operand);
  return operand;
}

/** Applies an operation that is known only at run time. The builders below are the typed way. */
export function apply(op: Operation, operands: readonly Operand[]): Apply {
  if (operands.length !== arity[op])
    throw new RangeError(`${op} takes ${arity[op]} operands, got ${operands.length}`);
  return { op, args: operands.map(toExpr) };
}

function builder<O extends Operation>(op: O): (...operands: Operands<O, Operand>) => Expr {
  return (...operands) => apply(op, operands);
}

/** `-a` */
export const neg = builder("neg");
/** `|a|`; its derivative at 0 is 0. */
export const abs = builder("abs");
/** `e^a` */
export const exp = builder("exp");
/** `e^a - 1`, exact near 0. */
export const expm1 = builder("expm1");
/** `e^a - 1 - a`, exact near 0. */
export const expResidual = builder("expResidual");
/** The natural logarithm. */
export const log = builder("log");
export const sqrt = builder("sqrt");
/** The logistic function `1 / (1 + e^-a)`. */
export const sigmoid = builder("sigmoid");
/** The slope of `sigmoid`: `sigmoid(a) sigmoid(-a)`, which does not cancel as `s (1 - s)` does. */
export const sigmoidSlope = builder("sigmoidSlope");
/** `log(1 + e^a)` */
export const softplus = builder("softplus");
export const tanh = builder("tanh");
/** `tanh(a) - a tanh'(a)`, exact near 0: the slope of `softClamp` in its limit. */
export const tanhResidual = builder("tanhResidual");
/** The normal distribution's cumulative function: gelu is `x * normalCdf(x)`. */
export const normalCdf = builder("normalCdf");
export const atan = builder("atan");
/** The arctan linear unit `a (atan(a) / pi + 1/2)`, exact for very negative `a`. */
export const atlu = builder("atlu");
/** The slope of `atlu`: `atan(a) / pi + 1/2 + a / (pi (1 + a^2))`, exact for very negative `a`. */
export const atluSlope = builder("atluSlope");
/** `max(0, a)`; its derivative at 0 is 0, as in PyTorch. */
export const relu = builder("relu");
export const add = builder("add");
export const sub = builder("sub");
export const mul = builder("mul");
export const div = builder("div");
/** The smaller operand; where they are equal, the first one receives the derivative. */
export const min = builder("min");
/** The larger operand; where they are equal, the first one receives the derivative. */
export const max = builder("max");
/** `limit tanh(a / limit)`: a smooth clamp to (-limit, limit). Operands: a, limit. */
export const softClamp = builder("softClamp");
/** `a` held to [low, high]; its derivative is 1 inside and at both bounds. Operands: a, low, high. */
export const clamp = builder("clamp");
/** `a > b ? then : otherwise`, and NaN where a or b is NaN. Operands: a, b, then, otherwise. */
export const selectGreater = builder("selectGreater");

/** The names of the variables that occur in an expression, in order of first appearance. */
export function variablesOf(expr: Expr): Set<string> {
  const names = new Set<string>();
  for (const node of schedule([expr])) if (node.op === "variable") names.add(node.name);
  return names;
}

const leaf: readonly Expr[] = [];
/** The operands of an application; none for a number or a variable. */
export const operandsOf = (node: Expr): readonly Expr[] => ("args" in node ? node.args : leaf);

/** All distinct nodes of the given expressions, each after its operands: the order in which to compute them. */
export function schedule(exprs: readonly Expr[]): Expr[] {
  return postOrder(exprs, operandsOf);
}

/** How often each node is used: as an operand of a node in `order`, or as one of the results. */
export function countUses(order: readonly Expr[], results: readonly Expr[] = []): Map<Expr, number> {
  const uses = new Map<Expr, number>();
  const use = (expr: Expr): void => void uses.set(expr, (uses.get(expr) ?? 0) + 1);
  for (const node of order) operandsOf(node).forEach(use);
  results.forEach(use);
  return uses;
}

/** Replaces variables by expressions. Variables that are not named stay. */
export function substitute(expr: Expr, replacements: Readonly<Record<string, Operand>>): Expr {
  return rewrite(expr, (node) =>
    node.op === "variable" && Object.hasOwn(replacements, node.name)
      ? toExpr(replacements[node.name] as Operand)
      : node,
  );
}

/** Rebuilds an expression from its leaves up. `change` gets every node once its operands are rebuilt. */
export function rewrite(expr: Expr, change: (node: Expr) => Expr): Expr {
  return new Rewriter(change).rewrite(expr);
}

/** Rebuilds several expressions by one change. Each part is rebuilt once, however often it occurs. */
export class Rewriter {
  private readonly rebuilt = new Map<Expr, Expr>();

  constructor(private readonly change: (node: Expr) => Expr) {}

  rewrite(expr: Expr): Expr {
    const { rebuilt } = this;
    const open = (node: Expr): readonly Expr[] => (rebuilt.has(node) ? leaf : operandsOf(node));
    for (const node of postOrder([expr], open)) {
      if (rebuilt.has(node)) continue;
      const same = operandsOf(node).every((arg) => rebuilt.get(arg) === arg);
      const next = same
        ? node
        : { op: (node as Apply).op, args: operandsOf(node).map((arg) => rebuilt.get(arg) as Expr) };
      rebuilt.set(node, this.change(next));
    }
    return rebuilt.get(expr) as Expr;
  }

  /** Leaves parts as they are: they count as rebuilt. */
  keep(parts: readonly Expr[]): void {
    for (const part of parts) this.rebuilt.set(part, part);
  }
}

/**
 * Expands operations until `expansionOf` returns undefined for all that are left. The operands of what it gets are expanded
 * already, so they are not looked at again in what it returns.
 */
export function expandAll(exprs: readonly Expr[], expansionOf: (node: Apply) => Expr | undefined): Expr[] {
  const rewriter = new Rewriter((node) => {
    const expansion = "args" in node ? expansionOf(node) : undefined;
    if (expansion === undefined) return node;
    rewriter.keep((node as Apply).args);
    return rewriter.rewrite(expansion); // The depth of these calls does not depend on that of the expression.
  });
  return exprs.map((expr) => rewriter.rewrite(expr));
}
