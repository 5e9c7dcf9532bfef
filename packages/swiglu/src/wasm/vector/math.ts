// exp, log, atan, tanh, sigmoid and its slope on four float32 lanes. Each reduces its argument to a short range, computes a
// polynomial there, and scales the result. Polynomials are fitted to the float64 functions when a module is assembled.

import {
  atanSquare,
  atanSteps,
  expRange,
  expTail,
  largestRemainder,
  ln2High,
  ln2Low,
  oddTail,
  tanhNear,
} from "../../expression/approximations.js";
import { fit, through } from "../../expression/fit.js";
import type { Code } from "../assembler/code.js";
import { f32x4, i32, i32x4, v128 } from "../assembler/instructions.js";
import type { Vector, VectorWriter } from "./writer.js";

const log2e = Math.LOG2E;
/** A number added to this is rounded to a whole number, which is in the low bits of the sum. */
const rounder = 1.5 * 2 ** 23;

/** (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2, through the points for which the error of e^r is least: 1e-7 at most. */
const exponentialTail = through(
  expTail,
  [-0.9634, -0.6813, 0.6813, 0.9634].map((part) => part * largestRemainder),
);

/** A number divided by ln 2: z = n ln 2 + r, with a whole number n. */
interface Reduced {
  /** `offset` + n. The low bits of this float32 are n. */
  readonly shifted: Vector;
  readonly r: Vector;
}

/** Divides z by ln 2. `offset` is `rounder`, or that plus a whole number. */
function reduce(w: VectorWriter, z: Vector, offset: number): Reduced {
  const wholeOf = (shifted: Vector): Code<"v128"> => f32x4.sub(shifted.get(), w.constant(offset).get());
  if (w.simd === "relaxed") {
    // A fused product is not rounded, and the error of ln 2 in float32 is only 2e-9.
    const shifted = w.multiplyAdd(z, w.constant(log2e), w.constant(offset));
    return { shifted, r: w.subtractProduct(w.let(wholeOf(shifted)), w.constant(Math.LN2), z) };
  }
  // The rounding error of z / ln 2 is as large as that of z itself, which the error bound allows for.
  const quotient = w.let(f32x4.mul(z.get(), w.constant(log2e).get()));
  const shifted = w.let(f32x4.add(quotient.get(), w.constant(offset).get()));
  const fraction = f32x4.sub(quotient.get(), wholeOf(shifted));
  return { shifted, r: w.let(f32x4.mul(fraction, w.constant(Math.LN2).get())) };
}

/** e^r for a remainder r: 1 + (r + r^2 (1/2 + ...)). */
function remainderExp(w: VectorWriter, r: Vector): Vector {
  const square = w.let(f32x4.mul(r.get(), r.get()));
  const above = w.multiplyAdd(w.polynomial(exponentialTail, r), square, r);
  return w.let(f32x4.add(w.constant(1).get(), above.get()));
}

/** Exponentials are computed 2^64 times too large, so that their power of two is always a normal number. */
const lift = 2 ** 64;

/** 2^64 e^z for z up to 43. */
function liftedExp(w: VectorWriter, z: Vector): Vector {
  const bounded = w.let(f32x4.pmax(z.get(), w.constant(expRange.lowest).get()));
  const { shifted, r } = reduce(w, bounded, rounder + 127 + 64);
  const scale = i32x4.shl(shifted.get(), i32.const(23));
  return w.let(f32x4.mul(remainderExp(w, r).get(), scale));
}

/** e^z for z up to 43, denormal results included. */
export function expSmall(w: VectorWriter, z: Vector): Vector {
  return w.let(f32x4.mul(liftedExp(w, z).get(), w.constant(1 / lift).get()));
}

/** e^z for any z. The power of two is the product of two halves, neither of which overflows or becomes 0 before the result does. */
export function exp(w: VectorWriter, z: Vector): Vector {
  const above = w.let(f32x4.pmax(z.get(), w.constant(expRange.lowest).get()));
  const bounded = w.let(f32x4.pmin(above.get(), w.constant(expRange.highest).get()));
  const { shifted, r } = reduce(w, bounded, rounder);
  const n = w.let(i32x4.sub(shifted.get(), w.constant(rounder).get()));
  const half = w.let(i32x4.shr_s(n.get(), i32.const(1)));
  const power = (exponent: ReturnType<Vector["get"]>): ReturnType<Vector["get"]> =>
    i32x4.add(i32x4.shl(exponent, i32.const(23)), w.constant(1).get());
  const scaled = w.let(f32x4.mul(remainderExp(w, r).get(), power(half.get())));
  return w.let(f32x4.mul(scaled.get(), power(i32x4.sub(n.get(), half.get()))));
}

/** 2^64 e^-|z|, computed once for all functions of the same z. */
function liftedExpNegAbs(w: VectorWriter, z: Vector): Vector {
  return w.once("exp", z, () => liftedExp(w, w.let(v128.or(z.get(), signBit(w).get()))));
}

/** 1 / (1 + e^-z), as e^min(z, 40) / (1 + e^min(z, 40)): one exponential, exact in both tails. */
export function sigmoid(w: VectorWriter, z: Vector): Vector {
  const e = liftedExp(w, w.let(f32x4.pmin(z.get(), w.constant(40).get())));
  return w.let(f32x4.div(e.get(), f32x4.add(w.constant(lift).get(), e.get())));
}

/** sigmoid(z) from e^-|z|, which the slope of the same z needs too. */
export function sigmoidWithSlope(w: VectorWriter, z: Vector): Vector {
  const e = liftedExpNegAbs(w, z);
  const one = w.constant(lift);
  const ifAbove = v128.and(f32x4.gt(z.get(), w.constant(0).get()), one.get());
  return w.let(f32x4.div(f32x4.pmax(e.get(), ifAbove), f32x4.add(one.get(), e.get())));
}

/** e / (1 + e (2 + e)) for e = e^-|z|, which rounds less than e / (1 + e)^2. */
export function sigmoidSlope(w: VectorWriter, z: Vector): Vector {
  const e = w.let(f32x4.mul(liftedExpNegAbs(w, z).get(), w.constant(1 / lift).get()));
  const outer = w.let(f32x4.add(w.constant(2).get(), e.get()));
  const square = w.multiplyAdd(e, outer, w.constant(1));
  return w.let(f32x4.div(e.get(), square.get()));
}

const signBit = (w: VectorWriter): Vector => w.outside("sign bit", () => i32x4.splat(i32.const(-(2 ** 31))));

/** (tanh(sqrt t) - sqrt t) / (t sqrt t) for t in [0, 0.625^2] */
const tanhTail = fit(oddTail(Math.tanh), 0, tanhNear.square, 5);

/** tanh(z): a polynomial near 0; from 0.625 on (1 - e) / (1 + e) with e = e^-2|z|, and the sign of z. */
export function tanh(w: VectorWriter, z: Vector): Vector {
  const size = w.let(f32x4.abs(z.get()));
  const e = expSmall(w, w.let(f32x4.mul(size.get(), w.constant(-2).get())));
  const one = w.constant(1);
  const far = w.let(f32x4.div(f32x4.sub(one.get(), e.get()), f32x4.add(one.get(), e.get())));
  const t = w.let(f32x4.mul(z.get(), z.get()));
  const cube = w.let(f32x4.mul(t.get(), size.get()));
  const near = w.multiplyAdd(cube, w.polynomial(tanhTail, t), size);
  const value = v128.bitselect(far.get(), near.get(), f32x4.gt(size.get(), w.constant(tanhNear.size).get()));
  return withSign(w, w.let(value), z);
}

/** The size of the first with the sign of the second. */
function withSign(w: VectorWriter, size: Vector, sign: Vector): Vector {
  return w.let(v128.or(size.get(), v128.and(sign.get(), signBit(w).get())));
}

/** (log(1 + f) - f) / f^2 around 0 */
const logTail = fit((f) => (Math.log1p(f) - f) / (f * f), Math.SQRT1_2 - 1, Math.SQRT2 - 1, 9);

/** The natural logarithm: the exponent times ln 2, plus the logarithm of a fraction in [sqrt 1/2, sqrt 2). */
export function log(w: VectorWriter, x: Vector): Vector {
  const tiny = w.let(f32x4.lt(x.get(), w.constant(2 ** -126).get()));
  const lifted = w.let(v128.bitselect(f32x4.mul(x.get(), w.constant(2 ** 32).get()), x.get(), tiny.get()));
  const root = w.constant(Math.fround(Math.SQRT1_2));
  const offset = w.let(i32x4.sub(lifted.get(), root.get()));
  const n = w.let(i32x4.shr_s(offset.get(), i32.const(23)));
  const fraction = w.let(i32x4.sub(lifted.get(), i32x4.shl(n.get(), i32.const(23))));
  const f = w.let(f32x4.sub(fraction.get(), w.constant(1).get()));
  const lift = v128.and(tiny.get(), w.constant(32).get());
  const power = w.let(f32x4.sub(f32x4.convert_i32x4_s(n.get()), lift));
  const square = w.let(f32x4.mul(f.get(), f.get()));
  const low = w.multiplyAdd(
    power,
    w.constant(ln2Low),
    w.let(f32x4.mul(square.get(), w.polynomial(logTail, f).get())),
  );
  const sum = w.let(f32x4.add(low.get(), f.get()));
  const value = w.multiplyAdd(power, w.constant(ln2High), sum);
  // log 0 = -Infinity, log Infinity = Infinity, log of what is negative or NaN = NaN.
  const infinite = w.let(v128.bitselect(x.get(), value.get(), f32x4.eq(x.get(), w.constant(Infinity).get())));
  const zero = w.let(
    v128.bitselect(w.constant(-Infinity).get(), infinite.get(), f32x4.eq(x.get(), w.constant(0).get())),
  );
  return w.let(v128.or(zero.get(), v128.not(f32x4.ge(x.get(), w.constant(0).get()))));
}

/** (atan(sqrt t) - sqrt t) / (t sqrt t) for t in [0, tan(pi/8)^2] */
const atanTail = fit(oddTail(Math.atan), 0, atanSquare, 5);

/** atan(x): above tan(3 pi/8) it is pi/2 - atan(1/x), above tan(pi/8) pi/4 + atan((x - 1)/(x + 1)), of |x|. */
export function atan(w: VectorWriter, x: Vector): Vector {
  const size = w.let(f32x4.abs(x.get()));
  const one = w.constant(1);
  const middle = w.let(f32x4.gt(size.get(), w.constant(atanSteps.middle).get()));
  const large = w.let(f32x4.gt(size.get(), w.constant(atanSteps.far).get()));
  const quotient = w.let(f32x4.div(f32x4.sub(size.get(), one.get()), f32x4.add(size.get(), one.get())));
  const inverse = w.let(f32x4.div(w.constant(-1).get(), size.get()));
  const small = w.let(v128.bitselect(quotient.get(), size.get(), middle.get()));
  const y = w.let(v128.bitselect(inverse.get(), small.get(), large.get()));
  const base = w.let(
    v128.bitselect(
      w.constant(Math.PI / 2).get(),
      v128.and(middle.get(), w.constant(Math.PI / 4).get()),
      large.get(),
    ),
  );
  const t = w.let(f32x4.mul(y.get(), y.get()));
  const cube = w.let(f32x4.mul(t.get(), y.get()));
  const value = w.let(f32x4.add(base.get(), w.multiplyAdd(cube, w.polynomial(atanTail, t), y).get()));
  return withSign(w, value, x);
}
