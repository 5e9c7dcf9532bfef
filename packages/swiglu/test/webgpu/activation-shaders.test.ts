// The WGSL of activations as text: readable, checked without a GPU. Numbers are checked by the conformance suite.
import { describe, expect, test } from "vitest";
import { type Activation, activations, defineActivation, expressions as e } from "../../src/index.js";
import type { KernelShape } from "../../src/webgpu/elementwise/elements-kernel.js";
import { elementFunctions } from "../../src/webgpu/elementwise/functions-kernel.js";
import { activationShader } from "../../src/webgpu/elementwise/kernels.js";
import { emitWgsl } from "../../src/webgpu/wgsl/emit.js";
import { userDefined } from "../conformance/index.js";

const withoutComments = (code: string): string => code.replace(/\/\/.*/g, "");
const shader = (activation: Activation, shape: Partial<KernelShape> = {}): string =>
  activationShader(activation, {
    direction: "forward",
    layout: "separate",
    width: 4,
    storage: "f32",
    perChannel: Object.keys(activation.parameters).map(() => false),
    parameterGradients: true,
    ...shape,
  });
/** Without the library of functions: from the bindings on. */
const kernel = (activation: Activation, shape?: Partial<KernelShape>): string =>
  shader(activation, shape).replace(/^.*?(?=struct Call)/s, "");
const entry = (activation: Activation, shape?: Partial<KernelShape>): string =>
  shader(activation, shape).replace(/^.*?(?=@compute)/s, "");

test("swiglu forward", () => {
  expect(shader(activations.swiglu)).toMatchInlineSnapshot(`
    "fn powerOfTwo(n: i32) -> f32 { // n from -126 to 127
      return bitcast<f32>((n + 127) << 23u);
    }

    fn expRemainder(r: f32) -> f32 { // e^r, |r| <= ln(2) / 2
      return 1f + (r + r * r * (0.5f + r * (0.166666672f + r * (0.041666463f + r * (0.00833331048f + r * (0.00139338814f + r * (0.000198912472f)))))));
    }

    var<private> vanishing: bool;

    fn naturalPower(z: f32) -> f32 { // e^z
      let n = round(clamp(z, -110f, 90f) * 1.44269502f);
      let r = (clamp(z, -110f, 90f) - n * 0.693359375f) - n * -0.000212194442f;
      let half = i32(n) >> 1u; // the power of two in two halves, which neither overflow nor vanish too early
      return expRemainder(r) * powerOfTwo(half) * powerOfTwo(i32(n) - half);
    }

    fn sigmoid(z: f32) -> f32 { // 1 / (1 + e^-z)
      vanishing = vanishing || z < -86f;
      let e = naturalPower(-abs(z));
      return select(1f, e, z < 0f) / (1f + e);
    }

    struct Wide { // m 2^e; m is of moderate size, or 0, infinite or NaN
      m: f32,
      e: i32,
    }

    fn widen(x: f32) -> Wide {
      let bits = bitcast<u32>(x);
      let exponent = i32((bits >> 23u) & 255u);
      let unit = bitcast<f32>((bits & 0x807fffffu) | 0x3f800000u);
      let size = f32(bits & 0x007fffffu) * 0x1p-12f; // of a denormal, which drivers take for 0
      let normal = Wide(select(unit, x, exponent == 255), exponent - 127);
      let denormal = Wide(select(size, -size, (bits >> 31u) != 0u), -137);
      return wide_select(normal, denormal, exponent == 0);
    }

    fn narrow(z: Wide) -> f32 {
      let e = clamp(z.e, -252, 254);
      return z.m * powerOfTwo(e >> 1u) * powerOfTwo(e - (e >> 1u));
    }

    fn wide_select(otherwise: Wide, then: Wide, condition: bool) -> Wide {
      return Wide(select(otherwise.m, then.m, condition), select(otherwise.e, then.e, condition));
    }

    fn isNaN(z: Wide) -> bool { return (bitcast<u32>(z.m) & 0x7fffffffu) > 0x7f800000u; }

    fn orNaN(value: Wide, z: Wide) -> Wide { return Wide(select(value.m, z.m, isNaN(z)), value.e); }

    fn wide_neg(a: Wide) -> Wide { return Wide(-a.m, a.e); }

    fn wide_abs(a: Wide) -> Wide { return Wide(abs(a.m), a.e); }

    fn wide_mul(a: Wide, b: Wide) -> Wide { return Wide(a.m * b.m, a.e + b.e); }

    fn wide_exp(z: Wide) -> Wide {
      let x = clamp(narrow(z), -1000f, 1000f);
      let n = round(x * 1.44269502f);
      let m = expRemainder((x - n * 0.693359375f) - n * -0.000212194442f);
      return orNaN(Wide(select(m, 0f, x < -746f), i32(n)), z); // 0 where it is in float64
    }

    fn wide_sigmoid(z: Wide) -> Wide {
      let e = wide_exp(wide_neg(wide_abs(z)));
      let over = wide_select(Wide(1f, 0), e, z.m < 0f);
      return orNaN(Wide(over.m / (1f + narrow(e)), over.e), z);
    }

    fn ordinary(v: vec4f) -> vec4<bool> { // 0, or from 2^-126 to 2^32
      let bits = bitcast<vec4u>(v) & vec4u(0x7fffffffu);
      return (bits < vec4u(0x4f800000u)) & (bits - vec4u(1u) >= vec4u(0x007fffffu));
    }

    fn finite(v: vec4f) -> vec4<bool> {
      return (bitcast<vec4u>(v) & vec4u(0x7f800000u)) != vec4u(0x7f800000u);
    }

    fn number(v: vec4f) -> vec4<bool> {
      return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) <= vec4u(0x7f800000u);
    }

    struct Call { count: u32, threads: u32, zero: u32, channels: u32, kept: u32, run: u32, stride: u32, gate: u32, up: u32 }
    @group(0) @binding(0) var<storage, read> parameters: array<f32>;
    @group(0) @binding(1) var<storage, read> gate: array<vec4f>;
    @group(0) @binding(2) var<storage, read> up: array<vec4f>;
    @group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
    @group(0) @binding(4) var<uniform> call: Call;

    // swiglu: gate * sigmoid(beta * gate) * up
    fn swiglu_value_plain(gate: f32, up: f32, p_beta: f32) -> f32 {
      let sigmoid_1 = sigmoid(p_beta * gate);
      return gate * sigmoid_1 * up;
    }

    fn swiglu_value_wide(gate: Wide, up: Wide, p_beta: Wide) -> f32 {
      let sigmoid_1 = wide_sigmoid(wide_mul(p_beta, gate));
      return narrow(wide_mul(wide_mul(gate, sigmoid_1), up));
    }

    fn swiglu_value(gate: f32, up: f32, p_beta: f32) -> f32 {
      vanishing = false;
      let result = swiglu_value_plain(gate, up, p_beta);
      if (!vanishing && all(ordinary(vec4f(gate, up, p_beta, 0f))) && all(finite(vec4f(result)))) { return result; }
      if (!(all(number(vec4f(gate, up, 0f, 0f))))) {
        let nan = bitcast<f32>(bitcast<u32>(gate) | 0x7fc00000u);
        return nan;
      }
      return swiglu_value_wide(widen(gate), widen(up), widen(p_beta));
    }

    @compute @workgroup_size(128)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x >= call.threads) { return; }
      let start = id.x;
      let p_beta = parameters[0];
      for (var i = start; 4u * i < call.count; i += call.threads) {
        let gate4 = gate[i];
        let up4 = up[i];
        vanishing = false;
        var y4: vec4f;
        for (var lane = 0u; lane < 4u; lane++) {
          y4[lane] = swiglu_value_plain(gate4[lane], up4[lane], p_beta);
        }
        let usual = 4u * i + 4u <= call.count
          && !vanishing
          && all(ordinary(gate4))
          && all(ordinary(up4))
          && all(ordinary(vec4f(p_beta)))
          && all(finite(y4));
        if (usual) {
          y[i] = y4;
        } else {
          for (var lane = 0u; lane < 4u && 4u * i + lane < call.count; lane++) {
            let result = swiglu_value(gate[i][lane], up[i][lane], p_beta);
            y[i][lane] = result;
          }
        }
      }
    }
    "
  `);
});

test("swiglu backward, one parameter for each channel, interleaved", () => {
  const shape = { direction: "backward", layout: "interleaved", perChannel: [true] } as const;
  expect(kernel(activations.swiglu, shape)).toMatchInlineSnapshot(`
    "struct Call { count: u32, threads: u32, zero: u32, channels: u32, kept: u32, run: u32, stride: u32, gate: u32, up: u32 }
    @group(0) @binding(0) var<storage, read> parameters: array<f32>;
    @group(0) @binding(1) var<storage, read> packed: array<vec4f>;
    @group(0) @binding(2) var<storage, read> dy: array<vec4f>;
    @group(0) @binding(3) var<storage, read_write> d_packed: array<vec4f>;
    @group(0) @binding(4) var<storage, read_write> partials: array<Sum>;
    @group(0) @binding(5) var<uniform> call: Call;

    fn gateAt(k: u32) -> u32 { return 2u * k + 0u; }

    fn upAt(k: u32) -> u32 { return 2u * k + 1u; }

    fn channelValues(parameter: u32, channel: vec4u) -> vec4f {
      let first = 1u + parameter * call.channels;
      return vec4f(parameters[first + channel.x], parameters[first + channel.y], parameters[first + channel.z], parameters[first + channel.w]);
    }

    var<workgroup> parts: array<Sum, 128>;

    fn leave(parameter: u32, group: u32, thread: u32, sum: Sum) {
      parts[thread] = sum;
      workgroupBarrier();
      if (thread < call.kept) {
        var all = sum;
        for (var i = thread + call.kept; i < 128u; i += call.kept) { all = joined(all, parts[i]); }
        partials[(1u * group + parameter) * call.kept + thread] = all;
      }
    }

    struct Gradients { gate: f32, up: f32, p_beta: f32 }

    // swiglu: gate * sigmoid(beta * gate) * up; its derivatives times dy
    fn swiglu_gradients_plain(gate: f32, up: f32, dy: f32, p_beta: f32) -> Gradients {
      let mul_1 = p_beta * gate;
      let sigmoid_1 = sigmoid(mul_1);
      let sigmoidSlope_1 = sigmoidSlope(mul_1);
      return Gradients(up * (sigmoid_1 + gate * (sigmoidSlope_1 * p_beta)) * dy, gate * sigmoid_1 * dy, up * (gate * (sigmoidSlope_1 * gate)) * dy);
    }

    fn swiglu_gradients_wide(gate: Wide, up: Wide, dy: Wide, p_beta: Wide) -> Gradients {
      let mul_1 = wide_mul(p_beta, gate);
      let sigmoid_1 = wide_sigmoid(mul_1);
      let sigmoidSlope_1 = wide_sigmoidSlope(mul_1);
      return Gradients(narrow(wide_mul(wide_mul(up, wide_add(sigmoid_1, wide_mul(gate, wide_mul(sigmoidSlope_1, p_beta)))), dy)), narrow(wide_mul(wide_mul(gate, sigmoid_1), dy)), narrow(wide_mul(wide_mul(up, wide_mul(gate, wide_mul(sigmoidSlope_1, gate))), dy)));
    }

    fn swiglu_gradients(gate: f32, up: f32, dy: f32, p_beta: f32) -> Gradients {
      vanishing = false;
      let result = swiglu_gradients_plain(gate, up, dy, p_beta);
      if (!vanishing && all(ordinary(vec4f(gate, up, dy, p_beta))) && all(finite(vec4f(result.gate, result.up, result.p_beta, 0f)))) { return result; }
      if (!(all(number(vec4f(gate, up, dy, 0f))))) {
        let nan = bitcast<f32>(bitcast<u32>(gate) | 0x7fc00000u);
        return Gradients(nan, nan, nan);
      }
      return swiglu_gradients_wide(widen(gate), widen(up), widen(dy), widen(p_beta));
    }

    @compute @workgroup_size(128)
    fn main(
      @builtin(global_invocation_id) id: vec3u,
      @builtin(workgroup_id) group: vec3u,
      @builtin(local_invocation_index) thread: u32,
    ) {
      let start = select(0x3fffffffu, id.x, id.x < call.threads);
      let channel = (vec4u(4u * id.x) + vec4u(0u, 1u, 2u, 3u)) % call.channels;
      let p_beta = channelValues(0u, channel);
      var sum_p_beta = Sum();
      for (var i = start; 4u * i < call.count; i += call.threads) {
        let low = packed[2u * i];
        let high = packed[2u * i + 1u];
        let gate4 = vec4f(low.xz, high.xz);
        let up4 = vec4f(low.yw, high.yw);
        let dy4 = dy[i];
        vanishing = false;
        var d_gate4: vec4f;
        var d_up4: vec4f;
        var d_p_beta4: vec4f;
        for (var lane = 0u; lane < 4u; lane++) {
          let result = swiglu_gradients_plain(gate4[lane], up4[lane], dy4[lane], p_beta[lane]);
          d_gate4[lane] = result.gate;
          d_up4[lane] = result.up;
          d_p_beta4[lane] = result.p_beta;
        }
        let usual = 4u * i + 4u <= call.count
          && !vanishing
          && all(ordinary(gate4))
          && all(ordinary(up4))
          && all(ordinary(dy4))
          && all(ordinary(p_beta))
          && all(finite(d_gate4))
          && all(finite(d_up4))
          && all(finite(d_p_beta4));
        if (usual) {
          d_packed[2u * i] = vec4f(d_gate4.x, d_up4.x, d_gate4.y, d_up4.y);
          d_packed[2u * i + 1u] = vec4f(d_gate4.z, d_up4.z, d_gate4.w, d_up4.w);
        } else {
          d_p_beta4 = vec4f();
          for (var lane = 0u; lane < 4u && 4u * i + lane < call.count; lane++) {
            let k = 4u * i + lane;
            let result = swiglu_gradients(packed[gateAt(k) / 4u][gateAt(k) % 4u], packed[upAt(k) / 4u][upAt(k) % 4u], dy[i][lane], p_beta[lane]);
            d_packed[gateAt(k) / 4u][gateAt(k) % 4u] = result.gate;
            d_packed[upAt(k) / 4u][upAt(k) % 4u] = result.up;
            d_p_beta4[lane] = result.p_beta;
          }
        }
        sum_p_beta = added(sum_p_beta, d_p_beta4);
      }
      leave(0u, group.x, thread, sum_p_beta);
    }
    "
  `);
});

test("gelu", () => {
  expect(elementFunctions(activations.gelu, "value").code).toMatchInlineSnapshot(`
    "// gelu: x * normalCdf(x)
    fn gelu_value_plain(x: f32) -> f32 {
      let normalCdf_1 = normalCdf(x);
      return x * normalCdf_1;
    }

    fn gelu_value_wide(x: Wide) -> f32 {
      let normalCdf_1 = wide_normalCdf(x);
      return narrow(wide_mul(x, normalCdf_1));
    }

    fn gelu_value(x: f32) -> f32 {
      vanishing = false;
      let result = gelu_value_plain(x);
      if (!vanishing && all(ordinary(vec4f(x))) && all(finite(vec4f(result)))) { return result; }
      if (!(all(number(vec4f(x))))) {
        let nan = bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u);
        return nan;
      }
      return gelu_value_wide(widen(x));
    }"
  `);
  expect(elementFunctions(activations.gelu, "gradients").code).toMatchInlineSnapshot(`
    "struct Gradients { x: f32 }

    // gelu: x * normalCdf(x); its derivatives times dy
    fn gelu_gradients_plain(x: f32, dy: f32) -> Gradients {
      let normalCdf_1 = normalCdf(x);
      let exp_1 = exponential(-0.5f * (x * x));
      return Gradients((normalCdf_1 + x * (0.398942292f * exp_1)) * dy);
    }

    fn gelu_gradients_wide(x: Wide, dy: Wide) -> Gradients {
      let normalCdf_1 = wide_normalCdf(x);
      let exp_1 = wide_exp(wide_mul(Wide(-0.5f, 0), wide_mul(x, x)));
      return Gradients(narrow(wide_mul(wide_add(normalCdf_1, wide_mul(x, wide_mul(Wide(0.398942292f, 0), exp_1))), dy)));
    }

    fn gelu_gradients(x: f32, dy: f32) -> Gradients {
      vanishing = false;
      let result = gelu_gradients_plain(x, dy);
      if (!vanishing && all(ordinary(vec4f(x, dy, 0f, 0f))) && all(finite(vec4f(result.x)))) { return result; }
      if (!(all(number(vec4f(x, dy, 0f, 0f))))) {
        let nan = bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u);
        return Gradients(nan);
      }
      return gelu_gradients_wide(widen(x), widen(dy));
    }"
  `);
});

test("xielu, its inputs' gradient only, f16", () => {
  expect(elementFunctions(activations.xielu, "inputGradients").code).toMatchInlineSnapshot(`
    "struct Gradients { x: f32 }

    // xielu: (x > 0 ? alphaP * x * x : alphaN * expResidual(x)) + beta * x; its derivatives times dy
    fn xielu_gradients_plain(x: f32, dy: f32, p_alphaP: f32, p_alphaN: f32, p_beta: f32) -> Gradients {
      let expm1_1 = expm1(x);
      return Gradients((select(p_alphaN * expm1_1, 2f * (x * p_alphaP), x > 0f) + p_beta) * dy);
    }

    fn xielu_gradients_wide(x: Wide, dy: Wide, p_alphaP: Wide, p_alphaN: Wide, p_beta: Wide) -> Gradients {
      let expm1_1 = wide_expm1(x);
      return Gradients(narrow(wide_mul(wide_add(wide_choose(x, Wide(0f, 0), wide_mul(Wide(2f, 0), wide_mul(x, p_alphaP)), wide_mul(p_alphaN, expm1_1)), p_beta), dy)));
    }

    fn xielu_gradients(x: f32, dy: f32, p_alphaP: f32, p_alphaN: f32, p_beta: f32) -> Gradients {
      let result = xielu_gradients_plain(x, dy, p_alphaP, p_alphaN, p_beta);
      if (all(ordinary(vec4f(x, dy, p_alphaP, p_alphaN))) && all(ordinary(vec4f(p_beta))) && all(finite(vec4f(result.x)))) { return result; }
      if (!(all(number(vec4f(x, dy, 0f, 0f))))) {
        let nan = bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u);
        return Gradients(nan);
      }
      return xielu_gradients_wide(widen(x), widen(dy), widen(p_alphaP), widen(p_alphaN), widen(p_beta));
    }"
  `);
  const shape = { direction: "backward", parameterGradients: false, storage: "f16" } as const;
  expect(entry(activations.xielu, shape)).toMatchInlineSnapshot(`
    "@compute @workgroup_size(128)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x >= call.threads) { return; }
      let start = id.x;
      let p_alphaP = parameters[0];
      let p_alphaN = parameters[1];
      let p_beta = parameters[2];
      for (var i = start; 4u * i < call.count; i += call.threads) {
        let x4 = vec4f(x[i]);
        let dy4 = vec4f(dy[i]);
        var d_x4: vec4f;
        for (var lane = 0u; lane < 4u; lane++) {
          let result = xielu_gradients_plain(x4[lane], dy4[lane], p_alphaP, p_alphaN, p_beta);
          d_x4[lane] = result.x;
        }
        let usual = 4u * i + 4u <= call.count
          && all(ordinary(x4))
          && all(ordinary(dy4))
          && all(ordinary(vec4f(p_alphaP, p_alphaN, p_beta, 0f)))
          && all(finite(d_x4));
        if (usual) {
          d_x[i] = vec4h(d_x4);
        } else {
          for (var lane = 0u; lane < 4u && 4u * i + lane < call.count; lane++) {
            let result = xielu_gradients(f32(x[i][lane]), f32(dy[i][lane]), p_alphaP, p_alphaN, p_beta);
            d_x[i][lane] = f16(result.x);
          }
        }
      }
    }
    "
  `);
});

test("halves whose runs are not multiples of four, element by element", () => {
  expect(entry(activations.glu, { layout: "halves", width: 1 })).toMatchInlineSnapshot(`
    "@compute @workgroup_size(128)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x >= call.threads) { return; }
      let start = id.x;
      for (var k = start; k < call.count; k += call.threads) {
        let result = glu_value(packed[gateAt(k)], packed[upAt(k)]);
        y[k] = result;
      }
    }
    "
  `);
});

describe("every activation", () => {
  const all: readonly Activation[] = [...Object.values(activations), ...userDefined];
  test("is the same text for the same definition, other text for another", () => {
    const texts = all.flatMap((activation) => [
      shader(activation),
      shader(activation, { direction: "backward" }),
    ]);
    expect(new Set(texts).size).toBe(texts.length);
    expect(shader(activations.swiglu)).toBe(shader(activations.swiglu));
  });

  test("uses none of WGSL's own coarse functions", () => {
    for (const activation of all)
      for (const direction of ["forward", "backward"] as const)
        expect(withoutComments(shader(activation, { direction }))).not.toMatch(
          /\b(exp2?|log2?|tanh|atan2?|pow|sinh|cosh)\(/,
        );
  });

  test("has the functions it calls and no others", () => {
    for (const activation of all) {
      const text = withoutComments(shader(activation, { direction: "backward" }));
      const declared = [...text.matchAll(/\bfn (\w+)/g)].map(([, name]) => name as string);
      expect(new Set(declared).size).toBe(declared.length);
      for (const name of declared.filter((each) => each !== "main"))
        expect(text.match(new RegExp(`\\b${name}\\(`, "g"))?.length, name).toBeGreaterThan(1);
    }
  });
});

test("names cannot clash with WGSL's words", () => {
  const odd = defineActivation({
    name: "fn",
    kind: "unary",
    parameters: { var: 1, select: 2, f32: 3 },
    expression: e.mul("x", e.add("var", e.add("select", "f32"))),
  });
  expect(elementFunctions(odd, "value").code).toContain("return x * (p_var + (p_select + p_f32));");
});

test("constants beyond float32 are kept in wide numbers, and float32 alone is not trusted", () => {
  const huge = e.mul(e.mul("x", 1e300), -1e-300);
  const name = (variable: string) => variable;
  expect(emitWgsl([huge], "wide", name).results).toEqual([
    "wide_mul(wide_mul(x, Wide(1.49322176f, 996)), Wide(-1.33938575f, -997))",
  ]);
  const activation = defineActivation({ name: "huge", kind: "unary", expression: huge });
  expect(entry(activation)).toContain("&& false");
});
