// Special operations composed of basic ones, in forms that jax-js may differentiate by its own rules, any number of times. The
// derivatives of these forms do not cancel, and do not compute Inf * 0 in a branch that was not taken.
import { atanTail, chebyshevToPolynomial, normalTail } from "../expression/chebyshev.js";
import {
  abs,
  add,
  clamp,
  div,
  type Expr,
  exp,
  expandAll,
  expm1,
  max,
  min,
  mul,
  neg,
  num,
  type Operand,
  type Operands,
  type Operation,
  rewrite,
  schedule,
  selectGreater,
  sub,
  substitute,
  tanh,
  variablesOf,
} from "../expression/expr.js";
import { simplify } from "../expression/simplify.js";

/** Operations that jax-js has itself, or that `emit.ts` writes with its functions. */
export type NativeOperation =
  | "neg"
  | "abs"
  | "exp"
  | "log"
  | "sqrt"
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "min"
  | "max"
  | "selectGreater";

type Forms = {
  readonly [O in Exclude<Operation, NativeOperation>]: (...operands: Operands<O, Expr>) => Expr;
};

/** `c0 + t (c1 + t (c2 + ...))` */
function polynomial(coefficients: readonly number[], t: Operand): Expr {
  const [highest = 0, ...others] = coefficients.toReversed();
  return others.reduce<Expr>((sum, factor) => add(factor, mul(t, sum)), num(highest));
}

/** `1/(first)! + t/(first+1)! + ...`: the exponential series from a power on, divided by that power. */
function exponentialTail(first: number, terms: number, t: Operand): Expr {
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  return polynomial(
    Array.from({ length: terms }, (_, i) => 1 / factorial(first + i)),
    t,
  );
}

/** `-|a|`. At a = 0 its slope is that of the side a <= 0, as in the selections below. */
const minusAbs = (a: Expr): Expr => min(a, neg(a));

/** `positive` where a > 0, otherwise `other`: the two halves of an even or odd function. */
const bySign = (a: Expr, positive: Expr, other: Expr): Expr => selectGreater(a, 0, positive, other);

/** e = exp(-|a|) and r = 1 / (1 + e). The sigmoid and its slope are made of these for either sign of a. */
function logistic(a: Expr): { readonly e: Expr; readonly r: Expr } {
  const e = exp(minusAbs(a));
  return { e, r: div(1, add(1, e)) };
}

/** (atan(y) - y / (1 + y^2)) / y^3, given y^2 <= 1. It has more terms than the value needs, since each derivative loses one. */
const atanResidual = (square: Expr): Expr =>
  polynomial(chebyshevToPolynomial(atanTail, 16), sub(mul(2, square), 1));

/** atan(y) / y, given y^2 <= 1. Its derivative in y^2 does not cancel. */
const atanRatio = (square: Expr): Expr => add(div(1, add(1, square)), mul(square, atanResidual(square)));

/** atan(y) for |y| <= 1. */
const atanNear = (y: Expr): Expr => mul(y, atanRatio(mul(y, y)));

/** x clamped to [-1e30, -1], so that -1/x is at most 1. Below -1e30 the results have already rounded to their limit. */
const farBelow = (x: Expr): Expr => clamp(x, -1e30, -1);

const forms: Forms = {
  sigmoid: (a) => {
    const { e, r } = logistic(a);
    return bySign(a, r, mul(e, r));
  },
  sigmoidSlope: (a) => {
    const { e, r } = logistic(a);
    return mul(mul(e, r), r);
  },
  // log(1 + e) = 2 (z + z^3/3 + z^5/5 + ...) for z = e / (2 + e) <= 1/3
  softplus: (a) => {
    const e = exp(minusAbs(a));
    const z = div(e, add(2, e));
    const series = Array.from({ length: 9 }, (_, k) => 2 / (2 * k + 1));
    return add(max(0, a), mul(z, polynomial(series, mul(z, z))));
  },
  // (e^2a - 1) / (e^2a + 1) for a <= 0
  tanh: (a) => {
    const m = expm1(mul(2, minusAbs(a)));
    const t = div(m, add(2, m));
    return bySign(a, neg(t), t);
  },
  expm1: (a) => {
    const near = clamp(a, -0.5, 0.5);
    return selectGreater(abs(a), 0.5, sub(exp(a), 1), mul(near, exponentialTail(1, 9, near)));
  },
  expResidual: (a) => {
    const near = clamp(a, -1, 1);
    return selectGreater(
      abs(a),
      1,
      sub(sub(exp(a), 1), a),
      mul(mul(near, near), exponentialTail(2, 11, near)),
    );
  },
  // z tanh(z)^2 - (z - tanh z), whose parts are both of the size of the result.
  tanhResidual: (a) => {
    const near = clamp(a, -1, 1);
    const t = tanh(near);
    const slope = forms.sigmoidSlope(mul(2, a));
    const far = sub(tanh(a), mul(4, mul(max(-1e30, min(a, 1e30)), slope)));
    return selectGreater(abs(a), 1, far, sub(mul(near, mul(t, t)), tanhDefect(near)));
  },
  // Phi(-a) = exp(-a^2/2) P((a - 4)/(a + 4)) / (a + 4) for a >= 0; beyond 40 it is 0.
  normalCdf: (x) => {
    const a = min(neg(minusAbs(x)), 40);
    const scaled = div(
      polynomial(chebyshevToPolynomial(normalTail, 16), div(sub(a, 4), add(a, 4))),
      add(a, 4),
    );
    const tail = mul(exp(mul(-0.5, mul(a, a))), scaled);
    return bySign(x, sub(1, tail), tail);
  },
  // atan(x) = pi/2 - atan(1/x) for x > 1
  atan: (x) => {
    const size = neg(minusAbs(x));
    const near = min(size, 1);
    const inverse = div(1, max(size, 1));
    const angle = selectGreater(size, 1, sub(Math.PI / 2, atanNear(inverse)), atanNear(near));
    return bySign(x, angle, neg(angle));
  },
  // -atan(y) / (pi y) with y = 1/x below -1, where the formula as written cancels.
  atlu: (x) => {
    const y = div(1, farBelow(x));
    const above = max(x, -1);
    return selectGreater(
      -1,
      x,
      mul(atanRatio(mul(y, y)), -1 / Math.PI),
      mul(above, add(mul(forms.atan(above), 1 / Math.PI), 0.5)),
    );
  },
  atluSlope: (x) => {
    const y = div(-1, farBelow(x));
    const above = max(x, -1);
    const near = add(forms.atan(above), div(above, add(1, mul(above, above))));
    return selectGreater(
      -1,
      x,
      mul(mul(mul(y, y), mul(y, atanResidual(mul(y, y)))), 1 / Math.PI),
      add(mul(near, 1 / Math.PI), 0.5),
    );
  },
  relu: (a) => max(0, a),
  clamp: (a, low, high) => min(max(a, low), high),
  // a - limit (z - tanh z) for |z| <= 1, so that the slope in the limit does not cancel either.
  // An infinite limit means no limit. The branch that is then not taken is computed with a finite limit.
  softClamp: (a, given) => {
    const limit = min(given, largestFloat32);
    const z = div(a, limit);
    const near = sub(a, mul(limit, tanhDefect(clamp(z, -1, 1))));
    const held = selectGreater(abs(z), 1, mul(limit, tanh(z)), near);
    return selectGreater(given, largestFloat32, a, held);
  },
};

const largestFloat32 = (2 - 2 ** -23) * 2 ** 127;

/** z - tanh(z) for |z| <= 1: (z cosh z - sinh z) / cosh z by its series. */
function tanhDefect(z: Expr): Expr {
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const series = Array.from({ length: 7 }, (_, i) => (2 * i + 2) / factorial(2 * i + 3));
  const square = mul(z, z);
  const cosh = mul(0.5, add(exp(z), exp(neg(z))));
  return mul(mul(z, square), div(polynomial(series, square), cosh));
}

/** The most operations that masking may visit: each selection masks the variables of both its branches. */
const mostMasks = 100_000;

/**
 * Rewrites an expression in native operations whose derivatives are right when they are taken by jax-js's rules. In a branch that
 * is not taken, variables become 0.5, so that nothing there overflows. Throws a RangeError where selections are nested so deeply
 * that this takes too long.
 */
export function differentiable(expr: Expr): Expr {
  let walked = 0;
  const where = (branch: Expr, masked: (v: Operand) => Expr): Expr => {
    if (!("args" in branch)) return branch;
    walked += schedule([branch]).length;
    if (walked > mostMasks)
      throw new RangeError(
        "the expression has too many selections (or functions such as elu) within selections for jax-js: compute it in several calls",
      );
    return substitute(
      branch,
      Object.fromEntries([...variablesOf(branch)].map((name) => [name, masked(name)])),
    );
  };
  const masked = rewrite(expr, (node) => {
    if (node.op !== "selectGreater") return node;
    const [a, b, then, otherwise] = node.args as readonly [Expr, Expr, Expr, Expr];
    return selectGreater(
      a,
      b,
      where(then, (v) => selectGreater(a, b, v, 0.5)),
      where(otherwise, (v) => selectGreater(a, b, 0.5, v)),
    );
  });
  const [expanded] = expandAll([masked], ({ op, args }) => {
    if (!Object.hasOwn(forms, op)) return undefined;
    const form = forms[op as keyof Forms] as (...operands: readonly Expr[]) => Expr;
    return form(...args);
  });
  return simplify(expanded as Expr);
}
