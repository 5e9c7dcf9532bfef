// The functions that the formulas of the activations need, in decimal arithmetic of 60 digits, at least 40 of them right.
// Written independently of src/: by the definition, and where that cancels, by the first terms of its Taylor series.
import { Decimal } from "decimal.js";

export const D = Decimal.clone({ precision: 60, toExpNeg: -5, toExpPos: 5 });
export type D = Decimal;
export const pi = D.acos(-1);

/** Below this size a Taylor series of three terms gives 40 digits, above it the definition still does. */
const tiny = 1e-10;

const d = (value: number | D): D => new D(value);
const isTiny = (x: D): boolean => x.abs().lessThan(tiny);

const powersOfTwo = new Map<number, D>();
function powerOfTwo(exponent: number): D {
  const known = powersOfTwo.get(exponent) ?? d(2).pow(exponent);
  powersOfTwo.set(exponent, known);
  return known;
}

/** A double's exact value (Decimal's constructor would take its shortest printed form, which is up to half a unit off). */
export function fromDouble(x: number): D {
  if (x === 0) return d(x);
  const exponent = Math.max(-1074, Math.floor(Math.log2(Math.abs(x))) - 53);
  const integer = BigInt(exponent < -1000 ? x * 2 ** 1000 * 2 ** (-exponent - 1000) : x * 2 ** -exponent);
  return new D(integer.toString()).times(powerOfTwo(exponent));
}

/** e^x, held inside e^-5000 .. e^5000: far outside the doubles, and never 0 or infinite. */
export const exp = (x: D): D => D.min(D.max(x, -5000), 5000).exp();

/** c0 x^k + c1 x^(k + step) + ... for a few given coefficients. */
function taylor(x: D, firstPower: number, step: number, coefficients: readonly D[]): D {
  return coefficients.reduce((sum, c, i) => sum.plus(c.times(x.pow(firstPower + i * step))), d(0));
}
const ratios = (...pairs: [number, number][]): D[] => pairs.map(([top, bottom]) => d(top).div(bottom));
const expSeries = ratios([1, 1], [1, 2], [1, 6], [1, 24], [1, 120]);
const logSeries = ratios([1, 1], [-1, 2], [1, 3], [-1, 4], [1, 5]);
const tanhResidualSeries = ratios([2, 3], [-8, 15], [34, 105]);
const atluSlopeSeries = ratios([2, 3], [-4, 5], [6, 7]);

export const expm1 = (x: D): D => (isTiny(x) ? taylor(x, 1, 1, expSeries) : exp(x).minus(1));
export const expResidual = (x: D): D =>
  isTiny(x) ? taylor(x, 2, 1, expSeries.slice(1)) : exp(x).minus(1).minus(x);
const log1p = (y: D): D => (isTiny(y) ? taylor(y, 1, 1, logSeries) : y.plus(1).ln());
export const sigmoid = (x: D): D => d(1).div(exp(x.neg()).plus(1));
export const softplus = (x: D): D => D.max(x, 0).plus(log1p(exp(x.abs().neg())));

export function tanh(x: D): D {
  const e = expm1(x.abs().times(-2));
  return e
    .neg()
    .div(e.plus(2))
    .times(x.isNegative() ? -1 : 1);
}

/** 1 - tanh(x)^2 = 4 e^-2|x| / (1 + e^-2|x|)^2. */
export function sechSquared(x: D): D {
  const e = exp(x.abs().times(-2));
  return e.times(4).div(e.plus(1).pow(2));
}

export const tanhResidual = (z: D): D =>
  isTiny(z) ? taylor(z, 3, 2, tanhResidualSeries) : tanh(z).minus(z.times(sechSquared(z)));

/** e^(-x^2/2)/sqrt(2 pi). */
export const normalDensity = (x: D): D => exp(x.times(x).div(-2)).div(pi.times(2).sqrt());

/** Phi(x): for |x| < 7 the series 1/2 + phi(x) (x + x^3/3 + x^5/15 + ...), beyond it the continued fraction. */
export function normalCdf(x: D): D {
  const a = x.abs();
  if (a.lessThan(7)) {
    let term = x;
    let sum = x;
    for (let n = 3; !term.isZero() && term.abs().greaterThan(sum.abs().times(1e-60)); n += 2) {
      term = term.times(x).times(x).div(n);
      sum = sum.plus(term);
    }
    return normalDensity(x).times(sum).plus(0.5);
  }
  let tail = a;
  for (let n = 120; n > 0; n--) tail = a.plus(d(n).div(tail));
  const lower = normalDensity(a).div(tail);
  return x.isNegative() ? lower : d(1).minus(lower);
}

/** atan(x)/pi + 1/2, which is atan(-1/x)/pi for x < 0. */
export const arctanCdf = (x: D): D =>
  x.lessThan(0) ? D.atan(d(-1).div(x)).div(pi) : D.atan(x).div(pi).plus(0.5);

/** The derivative of x (atan(x)/pi + 1/2): for x < -1e10 a series in 1/x. */
export function atluSlope(x: D): D {
  if (x.lessThan(-1 / tiny)) return taylor(d(-1).div(x), 3, 2, atluSlopeSeries).div(pi);
  return arctanCdf(x).plus(x.div(x.times(x).plus(1).times(pi)));
}
