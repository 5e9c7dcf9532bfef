// Numbers of any size in WGSL: an f32 times a power of two, so that no intermediate value overflows or becomes 0.
// Kernels compute with them only those few elements for which f32 is not enough: huge or denormal ones, or where f32 overflows.
import { ln2High, ln2Low } from "../../expression/approximations.js";
import { type Library, literal } from "./text.js";

/** A function of one number: `tail` where the condition `when` on x, the float32 of z, holds; else `head`, computed in float32. */
const inParts = (
  name: string,
  parts: readonly (readonly [when: string, tail: string])[],
  head: string,
): string =>
  `fn wide_${name}(z: Wide) -> Wide {
  let x = narrow(z);
${parts.map(([when, tail]) => `  if (${when}) { return ${tail}; }\n`).join("")}  return orNaN(widen(${head}), z);
}`;

/** The condition that x is so near 0 that the first term of the series is exact. */
const near = "abs(x) < 0x1p-40f";
const binary = (name: string, body: string): string =>
  `fn wide_${name}(a: Wide, b: Wide) -> Wide { ${body} }`;

export const wideFunctions: Library = {
  Wide: `struct Wide { // m 2^e; m is of moderate size, or 0, infinite or NaN
  m: f32,
  e: i32,
}`,
  widen: `fn widen(x: f32) -> Wide {
  let bits = bitcast<u32>(x);
  let exponent = i32((bits >> 23u) & 255u);
  let unit = bitcast<f32>((bits & 0x807fffffu) | 0x3f800000u);
  let size = f32(bits & 0x007fffffu) * 0x1p-12f; // of a denormal, which drivers take for 0
  let normal = Wide(select(unit, x, exponent == 255), exponent - 127);
  let denormal = Wide(select(size, -size, (bits >> 31u) != 0u), -137);
  return wide_select(normal, denormal, exponent == 0);
}`,
  narrow: `fn narrow(z: Wide) -> f32 {
  let e = clamp(z.e, -252, 254);
  return z.m * powerOfTwo(e >> 1u) * powerOfTwo(e - (e >> 1u));
}`,
  wide_select: `fn wide_select(otherwise: Wide, then: Wide, condition: bool) -> Wide {
  return Wide(select(otherwise.m, then.m, condition), select(otherwise.e, then.e, condition));
}`,
  isNaN: "fn isNaN(z: Wide) -> bool { return (bitcast<u32>(z.m) & 0x7fffffffu) > 0x7f800000u; }",
  orNaN: "fn orNaN(value: Wide, z: Wide) -> Wide { return Wide(select(value.m, z.m, isNaN(z)), value.e); }",
  wide_neg: "fn wide_neg(a: Wide) -> Wide { return Wide(-a.m, a.e); }",
  wide_abs: "fn wide_abs(a: Wide) -> Wide { return Wide(abs(a.m), a.e); }",
  wide_add: `fn wide_add(a: Wide, b: Wide) -> Wide {
  let e = max(select(a.e, -0x10000, a.m == 0f), select(b.e, -0x10000, b.m == 0f));
  return Wide(a.m * powerOfTwo(clamp(a.e - e, -126, 0)) + b.m * powerOfTwo(clamp(b.e - e, -126, 0)), e);
}`,
  wide_sub: binary("sub", "return wide_add(a, wide_neg(b));"),
  wide_mul: binary("mul", "return Wide(a.m * b.m, a.e + b.e);"),
  wide_div: binary("div", "return Wide(a.m / b.m, a.e - b.e);"),
  wide_choose: `fn wide_choose(a: Wide, b: Wide, greater: Wide, otherwise: Wide) -> Wide {
  return orNaN(orNaN(wide_select(otherwise, greater, wide_sub(a, b).m > 0f), a), b);
}`,
  wide_min: binary("min", "return wide_choose(a, b, b, a);"),
  wide_max: binary("max", "return wide_choose(a, b, a, b);"),
  wide_sqrt: `fn wide_sqrt(z: Wide) -> Wide {
  return Wide(squareRoot(select(z.m, 2f * z.m, (z.e & 1) != 0)), z.e >> 1u);
}`,
  wide_exp: `fn wide_exp(z: Wide) -> Wide {
  let x = clamp(narrow(z), -1000f, 1000f);
  let n = round(x * ${literal(Math.LOG2E)});
  let m = expRemainder((x - n * ${literal(ln2High)}) - n * ${literal(ln2Low)});
  return orNaN(Wide(select(m, 0f, x < -746f), i32(n)), z); // 0 where it is in float64
}`,
  wide_log: `fn wide_log(z: Wide) -> Wide {
  let unit = widen(z.m);
  let above = unit.m > ${literal(Math.SQRT2)};
  let n = f32(unit.e + z.e + select(0, 1, above));
  let part = logarithm(select(unit.m, 0.5f * unit.m, above));
  let value = n * ${literal(ln2High)} + (n * ${literal(ln2Low)} + part);
  return orNaN(widen(select(part, value, unit.m > 0f && unit.m < 4f)), z);
}`,
  wide_expm1: inParts(
    "expm1",
    [
      [near, "z"],
      ["x > 64f", "wide_exp(z)"],
    ],
    "expm1(x)",
  ),
  wide_expResidual: inParts(
    "expResidual",
    [
      [near, "Wide(0.5f * z.m * z.m, 2 * z.e)"],
      ["x > 64f", "wide_exp(z)"],
      ["x < -0x1p26f", "wide_neg(z)"],
    ],
    "expResidual(x)",
  ),
  wide_sigmoid: `fn wide_sigmoid(z: Wide) -> Wide {
  let e = wide_exp(wide_neg(wide_abs(z)));
  let over = wide_select(Wide(1f, 0), e, z.m < 0f);
  return orNaN(Wide(over.m / (1f + narrow(e)), over.e), z);
}`,
  wide_sigmoidSlope: `fn wide_sigmoidSlope(z: Wide) -> Wide {
  let e = wide_exp(wide_neg(wide_abs(z)));
  return Wide(e.m / (1f + narrow(e) * (2f + narrow(e))), e.e);
}`,
  wide_softplus: inParts(
    "softplus",
    [
      ["x < -64f", "wide_exp(z)"],
      ["x > 64f", "z"],
    ],
    "softplus(x)",
  ),
  wide_tanh: inParts("tanh", [[near, "z"]], "hyperbolicTangent(x)"),
  wide_tanhResidual: inParts(
    "tanhResidual",
    [[near, `Wide(${literal(2 / 3)} * z.m * z.m * z.m, 3 * z.e)`]],
    "tanhResidual(x)",
  ),
  wide_normalCdf: inParts(
    "normalCdf",
    [["x < -8f", "wide_mul(wide_exp(Wide(-0.5f * z.m * z.m, 2 * z.e)), widen(normalTail(min(-x, 1e18f))))"]],
    "normalCdf(x)",
  ),
  wide_atan: inParts("atan", [[near, "z"]], "arcTangent(x)"),
  wide_atlu: inParts(
    "atlu",
    [["x > -1f", `wide_mul(z, widen(arcTangent(x) * ${literal(1 / Math.PI)} + 0.5f))`]],
    "atlu(x)",
  ),
  wide_atluSlope: inParts(
    "atluSlope",
    [["x < -0x1p20f", `Wide(${literal(-2 / (3 * Math.PI))} / (z.m * z.m * z.m), -3 * z.e)`]],
    "atluSlope(x)",
  ),
  wide_softClamp: binary(
    "softClamp",
    "return wide_choose(wide_abs(a), wide_mul(Wide(1e-6f, 0), wide_abs(b)), wide_mul(b, wide_tanh(wide_div(a, b))), a);",
  ),
};
