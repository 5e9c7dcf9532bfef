// What activation kernels must do beyond the conformance suite: runs of any length, many elements and channels, numbers that
// drivers lose, half precision.
import { afterAll, describe, expect, test } from "vitest";
import {
  type Activation,
  activations,
  defineActivation,
  expressions as e,
  errorBound,
  evaluate,
  gradient,
  gradientExpressions,
  type PackedLayout,
  pack,
  reference,
  webgpu,
} from "../../src/index.js";
import { plainFloats } from "../conformance/samples.js";
import { driver, requestDevice, unlessDriver } from "./dawn.js";

const largest = 3.4028234663852886e38;
type Named = Readonly<Record<string, number>>;
type Arrays = Readonly<Record<string, Float32Array>>;

describe.runIf(driver)(`activations on WebGPU in Node${unlessDriver}`, async () => {
  const device = driver ? await requestDevice({ requiredFeatures: ["shader-f16"] }) : undefined;
  const open = (precision: "f32" | "f16") => webgpu({ ...(device && { device }), precision });
  const [single, half] = device ? await Promise.all([open("f32"), open("f16")]) : [];
  const backends = { f32: single, f16: half };
  const onDevice = (precision: "f32" | "f16" = "f32") => {
    const backend = backends[precision];
    if (backend === undefined) throw new Error("there is no device");
    return backend;
  };
  const exact = await reference();
  afterAll(() => {
    single?.dispose();
    half?.dispose();
    device?.destroy();
  });

  test.each<[PackedLayout, number[], number]>([
    ["gate-first", [5, 6], -1], // runs of 3
    ["gate-second", [5, 6], -1],
    ["gate-second", [7, 2], -1], // runs of 1, up first
    ["interleaved", [3, 4, 5], 1], // runs of 5
    ["interleaved", [9, 26], -1],
    ["gate-first", [2, 33, 3], 0], // runs of 99
  ])("%s in shape %o along axis %i gives what separate tensors give", async (layout, shape, axis) => {
    const count = shape.reduce((a, b) => a * b) / 2;
    const [gate, up, dy] = [plainFloats(count, 1, 8), plainFloats(count, 2, 8), plainFloats(count, 3)];
    const position = (axis + shape.length) % shape.length;
    const unpacked = shape.map((size, i) => (i === position ? size / 2 : size));
    const input = { packed: pack({ gate, up }, unpacked, { layout, axis }), shape, layout, axis };
    const backend = onDevice();
    const y = await backend.activate(activations.swiglu, { gate, up }, { beta: 1.3 });
    expect(await backend.activate(activations.swiglu, input, { beta: 1.3 })).toEqual(y);
    const separate = await backend.activateBackward(activations.swiglu, { gate, up }, dy, { beta: 1.3 });
    const packed = await backend.activateBackward(activations.swiglu, input, dy, { beta: 1.3 });
    expect(packed.packed).toEqual(pack(separate as never, unpacked, { layout, axis }));
    expect(packed.beta).toBeCloseTo(separate.beta as number, 4);
  });

  test("sums of 300,007 elements, which threads take in several rounds, as exact as float32 is", async () => {
    const count = 300_007;
    const [gate, up] = [plainFloats(count, 1, 6), plainFloats(count, 2, 6)];
    const dy = new Float32Array(count).fill(1);
    const got = await onDevice().activateBackward(activations.swiglu, { gate, up }, dy);
    let sum = 0;
    let sizes = 0;
    for (let i = 0; i < count; i++) {
      const { beta } = gradient(activations.swiglu, { gate: gate[i] as number, up: up[i] as number });
      sum += beta;
      sizes += Math.abs(beta);
    }
    // Elements err independently: far less than the bound, to which naive summation would come near.
    expect(Math.abs((got.beta as number) - sum)).toBeLessThan(2 ** -24 * sizes * 0.02);
  });

  test("parameters with different numbers of channels", async () => {
    const count = 6 * 35 * 11;
    const x = plainFloats(count, 1, 4);
    const dy = plainFloats(count, 2);
    const parameters = { alphaP: plainFloats(6, 3, 2), alphaN: plainFloats(35, 4, 2), beta: 0.25 };
    const got = await onDevice().activateBackward(activations.xielu, { x }, dy, parameters);
    const wanted = exact.activateBackwardSync(activations.xielu, { x }, dy, parameters);
    for (const name of ["alphaP", "alphaN"] as const) {
      const [a, b] = [got[name] as Float32Array, wanted[name] as Float32Array];
      expect(a.length).toBe(b.length);
      a.forEach((value, i) => {
        expect(value, `${name}[${i}]`).toBeCloseTo(b[i] as number, 3);
      });
    }
    expect(got.beta).toBeCloseTo(wanted.beta as number, 3);
    const y = await onDevice().activate(activations.xielu, { x }, parameters);
    exact.activateSync(activations.xielu, { x }, parameters).forEach((value, i) => {
      expect(y[i]).toBeCloseTo(value, 4);
    });
  });

  const bilinear = activations.bilinear;
  test("denormal numbers times large ones, which drivers may take for 0", async () => {
    const up = Float32Array.of(1.401298464324817e-45, 1.1e-38, -2e-40, 1.5);
    const gate = Float32Array.of(3e38, 1e10, 1e30, -1.4e-45);
    const y = await onDevice().activate(bilinear, { gate, up });
    y.slice(0, 3).forEach((value, i) => {
      const product = (gate[i] as number) * (up[i] as number);
      expect(Math.abs(value - product)).toBeLessThan(2 ** -22 * Math.abs(product));
    });
  });

  test("the far tail of a derivative times large numbers", async () => {
    const [gate, up, dy] = [-88, 3e4, 2e4].map((value) => Float32Array.of(value, value));
    const inputs = { gate, up } as { gate: Float32Array; up: Float32Array };
    const got = await onDevice().activateBackward(activations.swiglu, inputs, dy as Float32Array);
    const slope = gradient(activations.swiglu, { gate: -88, up: 3e4 }).gate * 2e4;
    expect(Math.abs((got.gate[0] as number) / slope - 1)).toBeLessThan(1e-4);
  });

  test("NaN in any input gives NaN in every gradient, and leaves the neighbours alone", async () => {
    for (const broken of ["gate", "up", "dy"]) {
      const data = Object.fromEntries(
        ["gate", "up", "dy"].map((name, k) => {
          const values = plainFloats(11, k + 1, 3);
          if (name === broken) values[5] = Number.NaN;
          return [name, values];
        }),
      ) as Record<"gate" | "up" | "dy", Float32Array>;
      const { gate, up, dy } = data;
      const slopes = await onDevice().activateBackward(activations.drelu, { gate, up }, dy);
      for (const slope of [slopes.gate, slopes.up])
        slope.forEach((value, i) => {
          expect(Number.isNaN(value), `${broken}, element ${i}`).toBe(i === 5);
        });
    }
  });

  test("constants that float32 cannot hold", async () => {
    const odd = defineActivation({
      name: "odd",
      kind: "unary",
      expression: e.mul(e.mul(e.mul("x", 1e300), 1e-300), e.add(1, e.mul(1e-42, e.exp("x")))),
    });
    const x = Float32Array.of(1, -3.5, 2e-30, 90, 0);
    const y = await onDevice().activate(odd, { x });
    x.forEach((value, i) => {
      expect(Math.abs((y[i] as number) - evaluate(odd, { x: value }))).toBeLessThanOrEqual(
        errorBound(odd.expression, ["x"])([value]),
      );
    });
  });

  /** The units of half precision. */
  const float16 = { epsilon: 2 ** -10, smallest: 2 ** -14 };
  /** The distance of half-precision numbers around a value. */
  const step = (value: number): number => 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(value)))) - 10);

  test.each<Activation>([
    activations.silu,
    activations.gelu,
    activations.xielu,
    activations.swiglu,
    activations.swigluOai,
    activations.situGlu,
  ])("half precision, $name: at most 2 units in the last place beyond the bound", async (activation) => {
    const backend = onDevice("f16");
    const count = 203;
    const data = activation.inputs.map((_, k) => plainFloats(count, k + 1, k === 0 ? 20 : 4));
    // What half precision holds of them: 11 digits.
    for (const values of data)
      values.forEach((value, i) => {
        values[i] = Math.round(value / step(value)) * step(value);
      });
    const inputs = Object.fromEntries(activation.inputs.map((name, k) => [name, data[k] as Float32Array]));
    const dy = Float32Array.from({ length: count }, (_, i) => ((i % 7) - 3) / 4);
    const y = await backend.activate(activation, inputs as never);
    const slopes = (await backend.activateBackward(activation, inputs as never, dy)) as Arrays;
    const names = [...activation.inputs, ...Object.keys(activation.parameters)];
    const defaults = Object.fromEntries(
      Object.entries(activation.parameters).map(([name, value]) => [name, Math.fround(value)]),
    );
    const formulas = gradientExpressions(activation);
    for (let i = 0; i < count; i++) {
      const values = data.map((each) => each[i] as number);
      const point = Object.fromEntries(activation.inputs.map((name, k) => [name, values[k] as number]));
      const given = [...values, ...Object.values(defaults)];
      const check = (got: number | undefined, value: number, bound: number, what: string): void => {
        const error = Math.abs((got ?? Number.NaN) - value);
        const where = `${what} at ${values}: ${got}, exact ${value}`;
        expect(error, where).toBeLessThanOrEqual(2 * step(value) + bound);
      };
      const value = evaluate(activation, point as never, defaults as never);
      check(y[i], value, errorBound(activation.expression, names, float16)(given), "value");
      const slope = gradient(activation, point as never, defaults as never) as Named;
      for (const name of activation.inputs) {
        const formula = e.mul("dy", formulas[name] as ReturnType<typeof e.num>);
        const bound = errorBound(formula, [...names, "dy"], float16)([...given, dy[i] as number]);
        check(slopes[name]?.[i], (dy[i] as number) * (slope[name] as number), bound, `gradient of ${name}`);
      }
    }
  });

  test("results beyond the largest number are infinite", async () => {
    const y = await onDevice().activate(bilinear, {
      gate: Float32Array.of(largest, -largest),
      up: Float32Array.of(2, 2),
    });
    expect([...y]).toEqual([Infinity, -Infinity]);
    const halves = await onDevice("f16").activate(bilinear, {
      gate: Float32Array.of(60000, -60000),
      up: Float32Array.of(2, 2),
    });
    expect([...halves]).toEqual([Infinity, -Infinity]);
  });
});
