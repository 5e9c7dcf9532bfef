// Turns expressions into SIMD code on four float32 lanes. There is one rule for each operation that is not lowered.
import { float32 } from "../../expression/bound.js";
import {
  type Apply,
  countUses,
  type Expr,
  type Operands,
  type Operation,
  schedule,
} from "../../expression/expr.js";
import { type BasicOperation, lowerAll } from "../../expression/lower.js";
import type { Code } from "../assembler/code.js";
import { f32x4, v128 } from "../assembler/instructions.js";
import { atan, exp, expSmall, log, sigmoid, sigmoidSlope, sigmoidWithSlope, tanh } from "./math.js";
import type { Vector, VectorWriter } from "./writer.js";

type Rule<O extends Operation> = (write: VectorWriter, ...operands: Operands<O, Vector>) => Vector;
type AnyRule = (write: VectorWriter, ...operands: readonly Vector[]) => Vector;

const one =
  (code: (a: Code<"v128">) => Code<"v128">) =>
  (write: VectorWriter, a: Vector): Vector =>
    write.let(code(a.get()));
type Pair = (a: Code<"v128">, b: Code<"v128">) => Code<"v128">;
const two =
  (code: Pair) =>
  (write: VectorWriter, a: Vector, b: Vector): Vector =>
    write.let(code(a.get(), b.get()));

/** min or max, which must be NaN where an operand is. With a constant or a parameter, never NaN, the quick instruction is right. */
const smallerOrLarger =
  (quick: Pair, thorough: Pair) =>
  (write: VectorWriter, a: Vector, b: Vector): Vector => {
    if (write.isOutside(b)) return write.let(quick(a.get(), b.get()));
    if (write.isOutside(a)) return write.let(quick(b.get(), a.get()));
    return write.let(thorough(a.get(), b.get()));
  };

/** Special operations that have code of their own here. All others are lowered. */
type Native = "sigmoid" | "sigmoidSlope" | "tanh";

const rules: { readonly [O in BasicOperation | Native]: Rule<O> } = {
  neg: one(f32x4.neg),
  abs: one(f32x4.abs),
  sqrt: one(f32x4.sqrt),
  exp,
  log,
  atan,
  sigmoid,
  sigmoidSlope,
  tanh,
  add: two(f32x4.add),
  sub: two(f32x4.sub),
  mul: two(f32x4.mul),
  div: two(f32x4.div),
  min: smallerOrLarger(f32x4.pmin, f32x4.min),
  max: smallerOrLarger(f32x4.pmax, f32x4.max),
  selectGreater: (write, a, b, then, otherwise) => {
    const chosen = v128.bitselect(then.get(), otherwise.get(), f32x4.gt(a.get(), b.get()));
    // Where a or b is NaN, all bits are set, which is NaN too.
    const changing = [a, b].filter((operand) => !write.isOutside(operand));
    const result = changing.reduce(
      (code, operand) => v128.or(code, f32x4.ne(operand.get(), operand.get())),
      chosen,
    );
    return write.let(result);
  },
};

/** The rule for a node. Some operands allow a shorter one. */
function ruleFor(node: Apply, slopes: ReadonlySet<Expr | undefined>, signs: Signs): AnyRule {
  const [operand] = node.args as readonly [Expr];
  if (node.op === "sigmoid" && slopes.has(operand)) return sigmoidWithSlope as AnyRule;
  if (node.op === "exp" && signs.neverPositive.has(operand)) return expSmall as AnyRule;
  return rules[node.op as keyof typeof rules] as AnyRule;
}

/** The expressions whose sign is known. */
interface Signs {
  readonly neverPositive: ReadonlySet<Expr>;
  readonly neverNegative: ReadonlySet<Expr>;
}

function signsOf(order: readonly Expr[]): Signs {
  const [neverPositive, neverNegative] = [new Set<Expr>(), new Set<Expr>()];
  for (const expr of order) {
    if (expr.op === "variable") continue;
    if (expr.op === "num") {
      if (expr.value <= 0) neverPositive.add(expr);
      if (expr.value >= 0) neverNegative.add(expr);
      continue;
    }
    const { op } = expr;
    const [a, b] = expr.args as readonly [Expr, Expr];
    const notBelow = neverNegative.has(a) && neverNegative.has(b);
    if (
      (op === "neg" && neverNegative.has(a)) ||
      (op === "min" && (neverPositive.has(a) || neverPositive.has(b))) ||
      (op === "mul" && neverPositive.has(a) && neverNegative.has(b))
    )
      neverPositive.add(expr);
    if (op === "abs" || op === "exp" || (op === "min" && notBelow) || (op === "mul" && (a === b || notBelow)))
      neverNegative.add(expr);
  }
  return { neverPositive, neverNegative };
}

/**
 * Writes code that computes the expressions, and returns a vector for each result. `variables` has the value of every variable.
 * Parts that the expressions share are computed once.
 */
export function emitVectors(
  write: VectorWriter,
  expressions: readonly Expr[],
  variables: Readonly<Record<string, Vector>>,
): Vector[] {
  const native = new Set(Object.keys(rules) as Operation[]);
  const lowered = lowerAll(expressions, native, float32);
  const order = schedule(lowered);
  const signs = signsOf(order);
  const slopes = new Set(
    order.flatMap((node) => (node.op === "sigmoidSlope" ? [(node as Apply).args[0]] : [])),
  );
  const joined = productsIntoSums(order, lowered);
  const taken = new Set<Expr>(joined.values());
  const values = new Map<Expr, Vector>();
  const vectorOf = (expr: Expr): Vector => values.get(expr) as Vector;
  for (const node of order) {
    if (taken.has(node)) continue;
    if (node.op === "num") values.set(node, write.constant(node.value));
    else if (node.op === "variable") values.set(node, variables[node.name] as Vector);
    else {
      const product = joined.get(node);
      const value =
        product === undefined
          ? ruleFor(node, slopes, signs)(write, ...node.args.map(vectorOf))
          : writeJoined(write, node, product, vectorOf);
      values.set(node, value);
    }
  }
  return lowered.map(vectorOf);
}

/** Sums and differences with a product that nothing else needs: with fused multiply-add, both are one instruction. */
function productsIntoSums(order: readonly Expr[], results: readonly Expr[]): Map<Expr, Apply> {
  const uses = countUses(order, results);
  const joined = new Map<Expr, Apply>();
  for (const node of order) {
    if (node.op !== "add" && node.op !== "sub") continue;
    const candidates = node.op === "add" ? node.args : node.args.slice(1);
    const product = candidates.find((part) => part.op === "mul" && uses.get(part) === 1);
    if (product !== undefined) joined.set(node, product as Apply);
  }
  return joined;
}

/** `a b + c` or `c - a b`. */
function writeJoined(
  write: VectorWriter,
  { op, args }: Apply,
  product: Apply,
  vectorOf: (expr: Expr) => Vector,
): Vector {
  const [a, b] = product.args.map(vectorOf) as [Vector, Vector];
  const rest = vectorOf(args.find((arg) => arg !== product) as Expr);
  return op === "add" ? write.multiplyAdd(a, b, rest) : write.subtractProduct(a, b, rest);
}
