// The special functions of the float64 reference. They are accurate to a few units of 2^-53 for all finite numbers: nothing
// cancels, and no intermediate value overflows. NaN gives NaN.
import { atanTail, chebyshevSum, normalTail } from "./chebyshev.js";

/** 1/(1 + e^-x). Relative error below 2^-51, also in the far negative tail, where it is e^x. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** sigmoid(x) sigmoid(-x) = e / (1 + e)^2 with e = e^-|x|: the slope of sigmoid, without cancellation in either tail. */
export function sigmoidSlope(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return e / ((1 + e) * (1 + e));
}

/** log(1 + e^x), as max(x, 0) + log1p(e^-|x|), which neither overflows nor loses the tail. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/**
 * Phi(x) = erfc(-x/sqrt 2)/2, the standard normal distribution function, with relative accuracy in the lower tail
 * down to where it leaves the doubles (x = -38.5). Phi(-a) = exp(-a^2/2) m(a); m has one Chebyshev expansion in
 * (a - 4)/(a + 4), computed by scripts/coefficients.mjs. a^2 is split in two parts, the first of which is exact.
 * Around 0 it is 1/2 + phi(x) x (1 + x^2/3 (1 + x^2/5 (1 + ...))).
 */
export function normalCdf(x: number): number {
  const a = Math.abs(x);
  if (a > 40) return x < 0 ? 0 : 1;
  if (a < 0.75) {
    let series = 1;
    for (let n = 25; n > 1; n -= 2) series = 1 + ((x * x) / n) * series;
    return 0.5 + x * series * (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI));
  }
  const high = Math.fround(a);
  const gaussian = Math.exp((-high * high) / 2) * Math.exp(((high - a) * (high + a)) / 2);
  const tail = (gaussian * chebyshevSum(normalTail, (a - 4) / (a + 4))) / (a + 4);
  return x < 0 ? tail : 1 - tail;
}

/**
 * e^x - 1 - x, with relative accuracy near 0, where it is x^2/2 (1 + x/3 (1 + x/4 (1 + ...))). Its derivative is expm1(x).
 */
export function expResidual(x: number): number {
  if (!(Math.abs(x) < 1)) return Math.expm1(x) - x;
  let series = 1;
  for (let n = 19; n > 2; n--) series = 1 + (x / n) * series;
  return ((x * x) / 2) * series;
}

/**
 * tanh(z) - z (1 - tanh(z)^2), with relative accuracy near 0, where it is 2/3 z^3; +-1 at the infinities.
 * It is (sinh w - w)/(1 + cosh w) for w = 2z, whose numerator is w^3/6 (1 + w^2/(4*5) (1 + w^2/(6*7) (1 + ...))).
 * Its derivative is 2 z tanh(z) (1 - tanh(z)^2).
 */
export function tanhResidual(z: number): number {
  const size = Math.abs(z);
  if (size > 400) return Math.sign(z);
  if (!(size < 1)) {
    const e = Math.exp(-2 * size);
    return Math.sign(z) * (Math.tanh(size) - (4 * size * e) / (1 + e) ** 2);
  }
  const w = 2 * z;
  const square = w * w;
  let series = 1;
  for (let n = 24; n > 2; n -= 2) series = 1 + (square / (n * (n + 1))) * series;
  return ((w * square) / 6) * (series / (1 + Math.cosh(w)));
}

/**
 * x (atan(x)/pi + 1/2), as x atan2(1, -x)/pi, which is accurate for very negative x too. At -infinity it is the limit, -1/pi. So
 * xatlu, which is written with it, has at -infinity the value of its published formula, for every alpha.
 */
export function atlu(x: number): number {
  if (x === Number.NEGATIVE_INFINITY) return -1 / Math.PI;
  const angle = Math.atan2(1, -x);
  return x < 0 ? (x * angle) / Math.PI : x * (angle / Math.PI);
}

/**
 * The derivative of atlu: atan(x)/pi + 1/2 + x/(pi (1 + x^2)); 0 and 1 at the infinities. Below -1 it is
 * (atan(y) - y/(1 + y^2))/pi for y = -1/x, about 2/(3 pi |x|^3), by a Chebyshev expansion in y^2, computed by
 * scripts/coefficients.mjs. Its own derivative is 2/(pi (1 + x^2)^2).
 */
export function atluSlope(x: number): number {
  if (x >= -1) return (Math.atan2(1, -x) + 1 / (1 / x + x)) / Math.PI;
  const y = -1 / x;
  const square = y * y;
  return (y * square * chebyshevSum(atanTail, 2 * square - 1)) / Math.PI;
}

/** limit * tanh(x/limit): x within +-limit, smoothly; x itself where the limit is infinite. */
export function softClamp(x: number, limit: number): number {
  if (Math.abs(limit) === Infinity) return x;
  const z = x / limit;
  return Math.abs(z) < 2 ** -28 ? x : limit * Math.tanh(z);
}
