// Exact derivatives of expressions, by one rule for each operation.
// Every rule is written so that it loses no digits by cancellation (s(z) s(-z), never 1 - s), and never computes Inf * 0.
import {
  type Apply,
  add,
  atluSlope,
  div,
  type Expr,
  exp,
  expm1,
  mul,
  neg,
  num,
  type Operation,
  schedule,
  selectGreater,
  sigmoid,
  sigmoidSlope,
  sub,
  tanh,
  tanhResidual,
} from "./expr.js";
import { simplify } from "./simplify.js";

/** The derivative of an operand. It is undefined where the operand does not depend on the variable. */
type Slope = Expr | undefined;

/** Computes the slope of an application from its operands, their slopes, and the application itself. */
type ChainRule = (args: readonly Expr[], slopes: readonly Slope[], self: Expr) => Slope;

const plus = (a: Slope, b: Slope): Slope => (a && b ? add(a, b) : (a ?? b));
const minus = (a: Slope, b: Slope): Slope => (a && b ? sub(a, b) : (a ?? (b && neg(b))));
const times = (factor: Expr, slope: Slope): Slope => slope && mul(factor, slope);
const orZero = (slope: Slope): Expr => slope ?? num(0);

/** The chain rule of a function of one operand, from the derivative of the function. */
const unary =
  (derivative: (a: Expr, self: Expr) => Expr): ChainRule =>
  ([a], [da], self) =>
    da && times(derivative(a as Expr, self), da);

/** Takes the slope `then` where a > b, and `otherwise` elsewhere. */
const select = (a: Expr, b: Expr, then: Slope, otherwise: Slope): Slope =>
  (then ?? otherwise) && selectGreater(a, b, orZero(then), orZero(otherwise));

/** tanh'(z) = 1 - tanh(z)^2 = 4 s'(2z) */
const tanhSlope = (z: Expr): Expr => mul(4, sigmoidSlope(mul(2, z)));

const rules: { readonly [O in Operation]: ChainRule } = {
  neg: (_args, [da]) => da && neg(da),
  abs: ([a], [da]) => da && selectGreater(a as Expr, 0, da, selectGreater(0, a as Expr, neg(da), 0)),
  exp: unary((_a, self) => self),
  expm1: unary((a) => exp(a)),
  expResidual: unary((a) => expm1(a)),
  log: unary((a) => div(1, a)),
  sqrt: unary((_a, self) => div(0.5, self)),
  sigmoid: unary((a) => sigmoidSlope(a)),
  sigmoidSlope: unary((a, self) => neg(mul(self, tanh(div(a, 2))))),
  softplus: unary((a) => sigmoid(a)),
  tanh: unary(tanhSlope),
  tanhResidual: unary((a) => mul(mul(2, mul(a, tanh(a))), tanhSlope(a))),
  normalCdf: unary((a) => mul(1 / Math.sqrt(2 * Math.PI), exp(mul(-0.5, mul(a, a))))),
  atan: unary((a) => div(1, add(1, mul(a, a)))),
  atlu: unary((a) => atluSlope(a)),
  atluSlope: unary((a) => div(div(2 / Math.PI, add(1, mul(a, a))), add(1, mul(a, a)))),
  relu: ([a], [da]) => select(a as Expr, num(0), da, undefined),
  add: (_args, [da, db]) => plus(da, db),
  sub: (_args, [da, db]) => minus(da, db),
  mul: ([a, b], [da, db]) => plus(times(b as Expr, da), times(a as Expr, db)),
  div: ([, b], [da, db], self) => {
    const slope = minus(da, times(self, db));
    return slope && div(slope, b as Expr);
  },
  min: ([a, b], [da, db]) => select(a as Expr, b as Expr, db, da),
  max: ([a, b], [da, db]) => select(b as Expr, a as Expr, db, da),
  softClamp: ([a, limit], [da, dLimit]) => {
    const z = div(a as Expr, limit as Expr);
    return plus(times(tanhSlope(z), da), times(tanhResidual(z), dLimit));
  },
  clamp: ([a, low, high], [da, dLow, dHigh]) =>
    select(a as Expr, high as Expr, dHigh, select(low as Expr, a as Expr, dLow, da)),
  selectGreater: ([a, b], [, , dThen, dOtherwise]) => select(a as Expr, b as Expr, dThen, dOtherwise),
};

/**
 * The exact derivative of an expression in one variable, simplified. Kinks follow PyTorch: relu at 0 has slope 0,
 * clamp and min at their bound have slope 1. Where the expression does not contain the variable, the result is 0.
 *
 * @example
 * text(differentiate(mul("x", "x"), "x")) // "2 * x"
 */
export function differentiate(expr: Expr, variable: string): Expr {
  const root = simplify(expr);
  const slopes = new Map<Expr, Slope>();
  for (const node of schedule([root])) {
    if (node.op === "variable") slopes.set(node, node.name === variable ? num(1) : undefined);
    else if (node.op !== "num") slopes.set(node, chain(node, slopes));
  }
  return simplify(orZero(slopes.get(root)));
}

function chain(node: Apply, slopes: ReadonlyMap<Expr, Slope>): Slope {
  return rules[node.op](
    node.args,
    node.args.map((arg) => slopes.get(arg)),
    node,
  );
}
