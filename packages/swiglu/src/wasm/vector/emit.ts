// Turns expressions into SIMD code on four lanes: one rule for each operation that is not lowered.
import { float32 } from "../../expression/bound.js";
import { type Apply, type Expr, type Operands, type Operation, schedule } from "../../expression/expr.js";
import { type BasicOperation, lower } from "../../expression/lower.js";
import { simplifyAll } from "../../expression/simplify.js";
import type { Code } from "../assembler/code.js";
import { f32x4, v128 } from "../assembler/instructions.js";
import { atan, exp, log, sigmoid, sigmoidSlope, sigmoidWithSlope } from "./math.js";
import type { Vector, VectorWriter } from "./writer.js";

type Rule<O extends Operation> = (write: VectorWriter, ...operands: Operands<O, Vector>) => Vector;
type AnyRule = (write: VectorWriter, ...operands: readonly Vector[]) => Vector;

const one =
  (code: (a: Code<"v128">) => Code<"v128">) =>
  (write: VectorWriter, a: Vector): Vector =>
    write.let(code(a.get()));
const two =
  (code: (a: Code<"v128">, b: Code<"v128">) => Code<"v128">) =>
  (write: VectorWriter, a: Vector, b: Vector): Vector =>
    write.let(code(a.get(), b.get()));

/** Special operations that have code of their own here; the others are lowered. */
type Native = "sigmoid" | "sigmoidSlope";

const rules: { readonly [O in BasicOperation | Native]: Rule<O> } = {
  neg: one(f32x4.neg),
  abs: one(f32x4.abs),
  sqrt: one(f32x4.sqrt),
  exp,
  log,
  atan,
  sigmoid,
  sigmoidSlope,
  add: two(f32x4.add),
  sub: two(f32x4.sub),
  mul: two(f32x4.mul),
  div: two(f32x4.div),
  min: two(f32x4.min),
  max: two(f32x4.max),
  selectGreater: (write, a, b, then, otherwise) => {
    const chosen = v128.bitselect(then.get(), otherwise.get(), f32x4.gt(a.get(), b.get()));
    // Where a or b is NaN, a mask of all ones, which is NaN too.
    const unordered = v128.or(f32x4.ne(a.get(), a.get()), f32x4.ne(b.get(), b.get()));
    return write.let(v128.or(chosen, unordered));
  },
};

/**
 * Writes code for the expressions and returns where each result is. `variables` holds every variable's value.
 * Parts that the expressions share are computed once.
 */
export function emitVectors(
  write: VectorWriter,
  expressions: readonly Expr[],
  variables: Readonly<Record<string, Vector>>,
): Vector[] {
  const native = new Set(Object.keys(rules) as Operation[]);
  const lowered = simplifyAll(expressions.map((expr) => lower(expr, native, float32)));
  const order = schedule(lowered);
  const slopes = new Set(
    order.flatMap((node) => (node.op === "sigmoidSlope" ? [(node as Apply).args[0]] : [])),
  );
  const values = new Map<Expr, Vector>();
  for (const node of order) {
    if (node.op === "num") values.set(node, write.constant(node.value));
    else if (node.op === "variable") values.set(node, variables[node.name] as Vector);
    else {
      const operands = node.args.map((arg) => values.get(arg) as Vector);
      const shared = node.op === "sigmoid" && slopes.has(node.args[0]);
      const rule = shared ? sigmoidWithSlope : (rules[node.op as keyof typeof rules] as AnyRule);
      values.set(node, rule(write, ...(operands as [Vector])));
    }
  }
  return lowered.map((expr) => values.get(expr) as Vector);
}
