// Turns expressions into TensorFlow.js operations: one rule for each operation, shared parts computed once.
// An operation that TensorFlow.js's backends compute badly is lowered, or made of two that are accurate in different ranges.
import * as tf from "@tensorflow/tfjs";
import { own } from "../errors.js";
import { float32 } from "../expression/bound.js";
import {
  type Expr,
  mul,
  neg,
  type Operands,
  type Operation,
  Rewriter,
  schedule,
  sigmoid,
} from "../expression/expr.js";
import {
  type BasicOperation,
  type LoweredOperation,
  lowerAll as lowerOperations,
} from "../expression/lower.js";
import type { Values } from "./seam.js";

/** Numbers stay numbers, which TensorFlow.js's operations take too. */
type Value = tf.Tensor | number;
type Rule<O extends Operation> = (...operands: Operands<O, Value>) => tf.Tensor;
type AnyRule = (...operands: readonly Value[]) => tf.Tensor;

/** NaN where b is NaN, since the wasm backend's minimum and maximum look at their first operand only. */
const orNaN = (result: tf.Tensor, b: Value): tf.Tensor =>
  typeof b === "number" ? result : tf.where(tf.isNaN(b), b, result);

const basicRules: { readonly [O in BasicOperation]: Rule<O> } = {
  neg: tf.neg,
  abs: tf.abs,
  exp: tf.exp,
  log: tf.log,
  sqrt: tf.sqrt,
  atan: tf.atan,
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  min: (a, b) => orNaN(tf.minimum(a, b), b),
  max: (a, b) => orNaN(tf.maximum(a, b), b),
  selectGreater: (a, b, then, otherwise) =>
    tf.where(tf.greater(a, b), then, tf.where(tf.lessEqual(a, b), otherwise, tf.add(a, b))),
};

/**
 * TensorFlow.js's operations that are accurate enough. These are not: erf (off by 1e-7 everywhere), log1p (0 below 1e-8 on wasm),
 * softplus (loses its tail on webgl), clipByValue (loses NaN on wasm).
 */
const nativeRules = {
  // XNNPACK's sigmoid is 0 from -87.3 on, where the true one goes on to -104: there s(a) is s(a/2)^2, which nowhere exceeds it.
  sigmoid: (a) => tf.maximum(tf.sigmoid(a), tf.square(tf.sigmoid(tf.mul(a, 0.5)))),
  expm1: tf.expm1,
  tanh: tf.tanh,
  relu: tf.relu,
} satisfies { readonly [O in LoweredOperation]?: Rule<O> };

const rules: Readonly<Partial<Record<Operation, AnyRule>>> = {
  ...(basicRules as Record<BasicOperation, AnyRule>),
  ...(nativeRules as Record<keyof typeof nativeRules, AnyRule>),
};
const native: ReadonlySet<Operation> = new Set(Object.keys(rules) as Operation[]);

/** Writes the sigmoid's slope as a product of sigmoids, which it then shares with other parts of the expressions. */
const sharing = (node: Expr): Expr => {
  if (node.op !== "sigmoidSlope") return node;
  const [a] = node.args as readonly [Expr];
  return mul(sigmoid(a), sigmoid(neg(a)));
};

/** Expressions in the operations of the table above, with what they have in common shared. */
export function lowerAll(expressions: readonly Expr[]): readonly Expr[] {
  const rewriter = new Rewriter(sharing);
  return lowerOperations(
    expressions.map((expr) => rewriter.rewrite(expr)),
    native,
    float32,
  );
}

/**
 * Computes lowered expressions from tensors, which broadcast, and numbers; no result is one of the tensors given. Throws a
 * ReferenceError for a variable without a value. Only `elementwise` may be differentiated by TensorFlow.js, and never this.
 */
export function computeAll(lowered: readonly Expr[], variables: Values): tf.Tensor[] {
  return tf.tidy(() => {
    const values = new Map<Expr, Value>();
    for (const expr of schedule(lowered)) {
      if (expr.op === "num") values.set(expr, expr.value);
      else if (expr.op === "variable") values.set(expr, lookUp(expr.name, variables));
      else {
        const operands = expr.args.map((arg) => values.get(arg) as Value);
        values.set(expr, (rules[expr.op] as AnyRule)(...operands));
      }
    }
    return lowered.map((expr) => {
      const value = values.get(expr) as Value;
      if (typeof value === "number") return tf.scalar(value);
      return expr.op === "variable" ? tf.clone(value) : value;
    });
  });
}

function lookUp(name: string, variables: Values): Value {
  const value = own(variables, name);
  if (value === undefined) throw new ReferenceError(`${name} has no value`);
  return value;
}
