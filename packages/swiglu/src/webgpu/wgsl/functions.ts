// The special functions in WGSL, on one f32. WGSL's own exp, tanh and log are too inaccurate for the error bound, and with some
// drivers they are NaN where an intermediate value overflows. These functions use +, -, *, / and powers of two made from bits.
// A function whose result is so near 0 that drivers may take it for 0 sets `vanishing`, since a large factor may follow.
import {
  atanSquare,
  atanSteps,
  expRange,
  expTail,
  largestRemainder,
  ln2High,
  ln2Low,
  oddTail,
  singleTerms,
  tanhNear,
} from "../../expression/approximations.js";
import { chebyshevToPolynomial, atanTail as farAtanTail, normalTail } from "../../expression/chebyshev.js";
import { fit } from "../../expression/fit.js";
import { tanhResidual } from "../../expression/special.js";
import { type Library, literal, polynomial } from "./text.js";

/** (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2 */
const nearExpTail = fit(expTail, -largestRemainder, largestRemainder, 5);
/** The same for |r| <= 1. */
const wideExpTail = fit(expTail, -1, 1, 8);
/** (2 atanh(s) / s - 2) / s^2 in s^2, for s up to 1/3 */
const logTail = fit(
  (t) => {
    const s = Math.sqrt(t);
    return ((2 * Math.atanh(s)) / s - 2) / t;
  },
  0,
  1 / 9,
  6,
);
/** (tanh(y) - y) / y^3 in y^2 */
const tanhTail = fit(oddTail(Math.tanh), 0, tanhNear.square, 6);
/** (atan(y) - y) / y^3 in y^2, for y up to tan(pi / 8) */
const atanTail = fit(oddTail(Math.atan), 0, atanSquare, 5);
/** tanhResidual(z) / z^3 in z^2, for z up to 1 */
const residualTail = fit(
  (t) => {
    const z = Math.sqrt(t);
    return tanhResidual(z) / (t * z);
  },
  0,
  1,
  9,
);

const [lowest, highest] = [literal(expRange.lowest), literal(expRange.highest)];

export const functions: Library = {
  powerOfTwo: `fn powerOfTwo(n: i32) -> f32 { // n from -126 to 127
  return bitcast<f32>((n + 127) << 23u);
}`,
  expRemainder: `fn expRemainder(r: f32) -> f32 { // e^r, |r| <= ln(2) / 2
  return 1f + (r + r * r * (${polynomial(nearExpTail, "r")}));
}`,
  vanishing: "var<private> vanishing: bool;",
  naturalPower: `fn naturalPower(z: f32) -> f32 { // e^z
  let n = round(clamp(z, ${lowest}, ${highest}) * ${literal(Math.LOG2E)});
  let r = (clamp(z, ${lowest}, ${highest}) - n * ${literal(ln2High)}) - n * ${literal(ln2Low)};
  let half = i32(n) >> 1u; // the power of two in two halves, which neither overflow nor vanish too early
  return expRemainder(r) * powerOfTwo(half) * powerOfTwo(i32(n) - half);
}`,
  exponential: `fn exponential(z: f32) -> f32 { // e^z
  vanishing = vanishing || z < -86f;
  return naturalPower(z);
}`,
  expm1: `fn expm1(z: f32) -> f32 { // e^z - 1
  return select(z + expResidual(z), naturalPower(z) - 1f, abs(z) > 1f);
}`,
  expResidual: `fn expResidual(z: f32) -> f32 { // e^z - 1 - z
  let near = z * z * (${polynomial(wideExpTail, "z")});
  return select(near, (naturalPower(z) - 1f) - z, abs(z) > 1f);
}`,
  log1p: `fn log1p(f: f32) -> f32 { // log(1 + f), -0.3 <= f <= 1
  let s = f / (2f + f);
  let t = s * s;
  let square = 0.5f * f * f;
  return f - (square - s * (square + t * (${polynomial(logTail, "t")})));
}`,
  logarithm: `fn logarithm(x: f32) -> f32 {
  let tiny = x < ${literal(2 ** -126)};
  let bits = bitcast<i32>(select(x, x * ${literal(2 ** 32)}, tiny));
  let n = (bits - ${floatBits(Math.SQRT1_2)}) >> 23u; // x = 2^n m, m from sqrt(1/2) to sqrt(2)
  let m = bitcast<f32>(bits - (n << 23u));
  let power = f32(n) - select(0f, 32f, tiny);
  let value = power * ${literal(ln2High)} + (power * ${literal(ln2Low)} + log1p(m - 1f));
  let infinity = bitcast<f32>(0x7f800000 | (bits & 0)); // made of bits: a constant infinity is an error
  if (x == 0f) { return -infinity; }
  if (bitcast<u32>(x) == 0x7f800000u) { return infinity; }
  return select(value, bitcast<f32>(bits | 0x7fc00000), x < 0f);
}`,
  sigmoid: `fn sigmoid(z: f32) -> f32 { // 1 / (1 + e^-z)
  vanishing = vanishing || z < -86f;
  let e = naturalPower(-abs(z));
  return select(1f, e, z < 0f) / (1f + e);
}`,
  sigmoidSlope: `fn sigmoidSlope(z: f32) -> f32 { // sigmoid(z) sigmoid(-z)
  vanishing = vanishing || abs(z) > 86f;
  let e = naturalPower(-abs(z));
  return e / (1f + e * (2f + e));
}`,
  softplus: `fn softplus(z: f32) -> f32 { // log(1 + e^z)
  vanishing = vanishing || z < -86f;
  return max(z, 0f) + log1p(naturalPower(-abs(z)));
}`,
  hyperbolicTangent: `fn hyperbolicTangent(z: f32) -> f32 {
  let t = z * z;
  let near = z + t * z * (${polynomial(tanhTail, "t")});
  let e = naturalPower(-2f * abs(z));
  let far = (1f - e) / (1f + e);
  return select(near, select(far, -far, z < 0f), abs(z) > ${literal(tanhNear.size)});
}`,
  tanhResidual: `fn tanhResidual(z: f32) -> f32 { // tanh(z) - z tanh'(z)
  let t = z * z;
  let near = t * z * (${polynomial(residualTail, "t")});
  let size = min(abs(z), 100f);
  let e = naturalPower(-2f * size);
  let far = (1f - e) / (1f + e) - 4f * size * e / ((1f + e) * (1f + e));
  return select(near, select(far, -far, z < 0f), abs(z) > 1f);
}`,
  normalTail: `fn normalTail(a: f32) -> f32 { // e^(a^2 / 2) normalCdf(-a), a >= 0
  let t = (a - 4f) / (a + 4f);
  return (${polynomial(chebyshevToPolynomial(normalTail, singleTerms.normalTail), "t")}) / (a + 4f);
}`,
  normalCdf: `fn normalCdf(x: f32) -> f32 {
  vanishing = vanishing || x < -12f;
  let a = min(abs(x), 40f);
  let tail = naturalPower(-0.5f * a * a) * normalTail(a);
  return select(tail, 1f - tail, x > 0f);
}`,
  arcTangent: `fn arcTangent(x: f32) -> f32 {
  let size = abs(x);
  var base = 0f;
  var y = size;
  if (size > ${literal(atanSteps.far)}) {
    base = ${literal(Math.PI / 2)};
    y = -1f / size;
  } else if (size > ${literal(atanSteps.middle)}) {
    base = ${literal(Math.PI / 4)};
    y = (size - 1f) / (size + 1f);
  }
  let t = y * y;
  let value = base + (y + t * y * (${polynomial(atanTail, "t")}));
  return select(value, -value, x < 0f);
}`,
  atlu: `fn atlu(x: f32) -> f32 { // x (atan(x) / pi + 1/2)
  let below = max(x, -1e30f);
  let tail = below * arcTangent(-1f / min(below, -1f)) * ${literal(1 / Math.PI)};
  return select(x * (arcTangent(x) * ${literal(1 / Math.PI)} + 0.5f), tail, x < -1f);
}`,
  atluSlope: `fn atluSlope(x: f32) -> f32 { // atan(x) / pi + 1/2 + x / (pi (1 + x^2))
  let y = -1f / min(x, -1f);
  let t = 2f * y * y - 1f;
  let tail = y * y * y * (${polynomial(chebyshevToPolynomial(farAtanTail, singleTerms.atanTail), "t")});
  let c = min(x, 1e10f);
  let near = arcTangent(x) + c / (1f + c * c);
  return select(near * ${literal(1 / Math.PI)} + 0.5f, tail * ${literal(1 / Math.PI)}, x < -1f);
}`,
  softClamp: `fn softClamp(x: f32, limit: f32) -> f32 { // limit tanh(x / limit)
  let z = x / limit; // which vanishes before x does; so near 0, tanh z is z
  return select(limit * hyperbolicTangent(z), x, abs(x) <= 1e-6f * abs(limit));
}`,
  squareRoot: `fn squareRoot(x: f32) -> f32 { // one of Heron's steps makes up for a coarse sqrt
  let s = sqrt(x);
  return select(s, 0.5f * (s + x / s), s > 0f && s < 1e19f);
}`,
};

/** The bits of a float32, as a WGSL number. */
function floatBits(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0] as number;
}
