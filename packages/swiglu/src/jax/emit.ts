// Turns expressions into jax-js operations: one rule for each native operation, shared parts computed once.
// jax-js counts references by hand: every rule consumes its operands, and the emitter takes a reference for each further use.
import { type Array as JaxArray, numpy as np } from "@jax-js/jax";
import { countUses, type Expr, type Operands, type Operation, schedule } from "../expression/expr.js";
import { differentiable, type NativeOperation } from "./forms.js";

/** The value of an operand: an array to consume, or a constant. */
type Value = JaxArray | number;
type Rule<O extends Operation> = (...operands: Operands<O, Value>) => JaxArray;

/** The same value for one more use. */
const again = (value: Value): Value => (typeof value === "number" ? value : value.ref);

const rules: { readonly [O in NativeOperation]: Rule<O> } = {
  neg: np.negative,
  abs: (a) => np.maximum(0, again(a)).add(np.maximum(0, np.negative(a))),
  exp: wideExp,
  log: accurateLog,
  sqrt: np.sqrt,
  add: np.add,
  sub: np.subtract,
  mul: np.multiply,
  div: np.trueDivide,
  min: np.minimum,
  max: np.maximum,
  selectGreater: (a, b, then, otherwise) => {
    const unordered = np.add(again(a), again(b));
    const otherwiseOrNaN = np.where(np.lessEqual(again(a), again(b)), otherwise, unordered);
    return np.where(np.greater(a, b), then, otherwiseOrNaN);
  },
};

/** e^(a/2) squared. jax-js's own exponential is 0 where the result is denormal. */
function wideExp(a: Value): JaxArray {
  const half = np.exp(np.multiply(a, 0.5));
  return half.ref.mul(half);
}

/**
 * jax-js's own logarithm l is off by 1e-5. One step of Newton's method corrects its value and its derivatives:
 * log(a) = l + log(1 + r) with r = a e^-l - 1. Where e^-l would leave the range of float32, a is scaled first.
 */
function accurateLog(a: Value): JaxArray {
  const [small, large] = [np.less(again(a), 1e-30), np.greater(again(a), 1e30)];
  const scale = np.where(small.ref, 2 ** 64, np.where(large.ref, 2 ** -64, 1));
  const offset = np.where(small, 64 * Math.LN2, np.where(large, -64 * Math.LN2, 0));
  const scaled = np.multiply(a, scale);
  const l = np.log(scaled.ref);
  const finite = np.absolute(l.ref).less(1e4);
  const r = scaled.mul(np.exp(np.negative(l.ref))).sub(1);
  const corrected = l.ref.add(r.ref.mul(np.subtract(1, r.mul(0.5)))).sub(offset);
  return np.where(finite, corrected, l);
}

const loweredForms = new WeakMap<Expr, Expr>();

/** Computes an expression of the given variables, which are consumed. Arrays broadcast. */
export function emit(expr: Expr, variables: Readonly<Record<string, JaxArray>>): JaxArray {
  const lowered = loweredForms.get(expr) ?? differentiable(expr);
  loweredForms.set(expr, lowered);
  const order = schedule([lowered]);
  const uses = countUses(order, [lowered]);

  const values = new Map<Expr, JaxArray>();
  const take = (node: Expr): Value => {
    if (node.op === "num") return node.value;
    const remaining = (uses.get(node) as number) - 1;
    uses.set(node, remaining);
    const value = values.get(node) as JaxArray;
    return remaining > 0 ? value.ref : value;
  };
  for (const node of order) {
    if (node.op === "variable") values.set(node, variables[node.name] as JaxArray);
    else if ("args" in node) {
      const rule = rules[node.op as NativeOperation] as (...operands: readonly Value[]) => JaxArray;
      values.set(node, rule(...node.args.map(take)));
    }
  }
  return values.get(lowered) as JaxArray;
}
