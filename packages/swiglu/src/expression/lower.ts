// Rewrites special operations in terms of basic ones, for targets that have no code of their own for them.
// Each rewriting is accurate in the given precision: it has a series near 0, does not cancel, and does not overflow.
import { singleTerms } from "./approximations.js";
import type { Precision } from "./bound.js";
import { atanTail, chebyshevToPolynomial, normalTail } from "./chebyshev.js";
import {
  type Apply,
  abs,
  add,
  atan,
  div,
  type Expr,
  exp,
  expandAll,
  expm1,
  log,
  max,
  min,
  mul,
  neg,
  num,
  type Operand,
  type Operation,
  selectGreater,
  sub,
  tanh,
} from "./expr.js";
import { horner } from "./fit.js";
import { simplifyAll } from "./simplify.js";

/** How many terms the series need for a precision. */
interface Terms {
  readonly series: number;
  readonly normalTail: number;
  readonly atanTail: number;
}
const single: Terms = { series: 9, ...singleTerms };
const double: Terms = { series: 17, normalTail: normalTail.length, atanTail: atanTail.length };

type Lowering = (terms: Terms, a: Expr, b: Expr, c: Expr) => Expr;

/** The polynomial with these coefficients, lowest power first, by Horner's rule. */
function polynomial(coefficients: readonly number[], t: Operand): Expr {
  return horner<Expr>(coefficients, num, (factor, sum) => add(factor, mul(t, sum)));
}

/** 1 + t/first (1 + t/(first+1) (1 + ...)): the tail of the exponential series. */
function exponentialTail(t: Expr, first: number, terms: number): Expr {
  let sum: Expr = num(1);
  for (let n = first + terms - 1; n >= first; n--) sum = add(1, mul(mul(t, 1 / n), sum));
  return sum;
}

/** 1 + t/(4*5) (1 + t/(6*7) (1 + ...)): (sinh w - w) / (w^3/6) in t = w^2. */
function sinhTail(t: Expr, terms: number): Expr {
  let sum: Expr = num(1);
  for (let n = 2 * terms + 2; n > 2; n -= 2) sum = add(1, mul(mul(t, 1 / (n * (n + 1))), sum));
  return sum;
}

const lowerings = {
  // e^min(a, 0) / (1 + e^-|a|): neither exponential overflows, and the far tail keeps its digits.
  sigmoid: (_, a) => div(exp(min(a, 0)), add(1, exp(neg(abs(a))))),
  // e / (1 + e (2 + e)), which rounds less than e / (1 + e)^2.
  sigmoidSlope: (_, a) => {
    const e = exp(neg(abs(a)));
    return div(e, add(1, mul(e, add(2, e))));
  },
  // log1p(e) is log(u) e / (u - 1), where u is 1 + e, rounded. If u is 1, it is e.
  softplus: (_, a) => {
    const e = exp(neg(abs(a)));
    const u = add(1, e);
    return add(max(a, 0), selectGreater(u, 1, mul(div(e, sub(u, 1)), log(u)), e));
  },
  tanh: (_, a) => {
    const m = expm1(mul(-2, abs(a)));
    const t = div(m, add(2, m));
    return selectGreater(a, 0, neg(t), t);
  },
  // (sinh w - w) / (1 + cosh w) for w = 2z; far out tanh|z| - 4|z| e / (1 + e)^2 with e = exp(-2|z|).
  tanhResidual: ({ series }, z) => {
    const w = mul(2, z);
    const square = mul(w, w);
    const cosh = mul(0.5, add(exp(w), exp(neg(w))));
    const near = mul(mul(w, mul(square, 1 / 6)), div(sinhTail(square, series), add(1, cosh)));
    const size = min(abs(z), 400);
    const e = exp(mul(-2, size));
    const far = sub(tanh(size), div(mul(4, mul(size, e)), mul(add(1, e), add(1, e))));
    return selectGreater(abs(z), 1, selectGreater(z, 0, far, neg(far)), near);
  },
  expm1: ({ series }, a) => selectGreater(abs(a), 0.5, sub(exp(a), 1), mul(a, exponentialTail(a, 2, series))),
  expResidual: ({ series }, a) =>
    selectGreater(
      abs(a),
      1,
      sub(sub(exp(a), 1), a),
      mul(mul(a, mul(0.5, a)), exponentialTail(a, 3, series + 3)),
    ),
  // Phi(-a) = exp(-a^2/2) P((a - 4)/(a + 4)) / (a + 4); beyond 40 it is 0 in every precision.
  normalCdf: (terms, x) => {
    const a = min(abs(x), 40);
    const coefficients = chebyshevToPolynomial(normalTail, terms.normalTail);
    const scaled = div(polynomial(coefficients, div(sub(a, 4), add(a, 4))), add(a, 4));
    const tail = mul(exp(mul(-0.5, mul(a, a))), scaled);
    return selectGreater(x, 0, sub(1, tail), tail);
  },
  // Below 0: x atan(-1/x) / pi. It is -1/pi long before x reaches -1e30, so x is held there.
  atlu: (_, x) => {
    const below = max(x, -1e30);
    const above = mul(x, add(mul(atan(x), 1 / Math.PI), 0.5));
    return selectGreater(0, x, div(mul(below, atan(div(-1, below))), Math.PI), above);
  },
  // Below -1: (atan(y) - y / (1 + y^2)) / pi for y = -1/x, by its Chebyshev expansion in y^2.
  atluSlope: (terms, x) => {
    const y = div(-1, x);
    const square = mul(y, y);
    const coefficients = chebyshevToPolynomial(atanTail, terms.atanTail);
    const tail = mul(mul(y, square), polynomial(coefficients, sub(mul(2, square), 1)));
    const near = add(atan(x), div(1, add(div(1, x), x)));
    return selectGreater(-1, x, mul(tail, 1 / Math.PI), add(mul(near, 1 / Math.PI), 0.5));
  },
  relu: (_, a) => max(a, 0),
  clamp: (_, a, low, high) => min(max(a, low), high),
  // Near 0 the result is a itself, since z may be 0 in floating point although a is not. It is also a where the limit is infinite.
  softClamp: (_, a, limit) => {
    const held = mul(limit, tanh(div(a, limit)));
    if (limit.op === "num" && Number.isFinite(limit.value)) return held;
    return selectGreater(abs(a), mul(2 ** -28, abs(limit)), held, a);
  },
} satisfies Partial<Record<Operation, Lowering>>;

/** Operations that `lower` can rewrite. All others are basic, and every target must have them. */
export type LoweredOperation = keyof typeof lowerings;
export type BasicOperation = Exclude<Operation, LoweredOperation>;

/**
 * Rewrites an expression so that it uses only basic operations and those in `native`, accurate in the given precision.
 *
 * @example
 * text(lower(sigmoid("x"), new Set(), float32)) // "exp(min(x, 0)) / (1 + exp(-abs(x)))"
 */
export function lower(expr: Expr, native: ReadonlySet<Operation>, precision: Precision): Expr {
  return lowerAll([expr], native, precision)[0] as Expr;
}

/** `lower` for several expressions. Parts that they share are rewritten once. */
export function lowerAll(
  exprs: readonly Expr[],
  native: ReadonlySet<Operation>,
  { epsilon }: Precision,
): Expr[] {
  const terms = epsilon < 2 ** -30 ? double : single;
  const expanded = expandAll(exprs, (node) => {
    if (native.has(node.op) || !isLowered(node)) return undefined;
    const lowering: Lowering = lowerings[node.op];
    const [a, b, c] = node.args as readonly [Expr, Expr, Expr];
    return lowering(terms, a, b, c);
  });
  return simplifyAll(expanded);
}

function isLowered(node: Apply): node is Apply<LoweredOperation> {
  return Object.hasOwn(lowerings, node.op);
}
