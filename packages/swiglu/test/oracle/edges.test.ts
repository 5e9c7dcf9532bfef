// Every activation where formulas break: NaN, infinities, kinks, zeros of both signs.
import { describe, expect, it } from "vitest";
import { type Activation, asGated } from "../../src/catalogue/activation.js";
import { activationByName, activations } from "../../src/catalogue/catalogue.js";
import type { Name } from "./formulas.js";
import { evaluateAt, gradientAt } from "./scalars.js";
import { writtenFormulas } from "./written.js";

const all: readonly Activation[] = Object.values(activations);
const infinity = Number.POSITIVE_INFINITY;

/** Every combination of the given values for the activation's inputs. */
function grid(activation: Activation, values: readonly number[]): Record<string, number>[] {
  return activation.inputs.reduce<Record<string, number>[]>(
    (points, name) => points.flatMap((point) => values.map((value) => ({ ...point, [name]: value }))),
    [{}],
  );
}

describe("NaN in any input gives NaN", () => {
  for (const activation of all)
    it(activation.name, () => {
      const points = grid(activation, [Number.NaN, 0, -1.5, 100, -1000, infinity, -infinity]);
      for (const point of points.filter((p) => Object.values(p).some(Number.isNaN)))
        expect(evaluateAt(activation, point), JSON.stringify(point)).toBeNaN();
    });
});

describe("at infinities: IEEE on the formula as written", () => {
  for (const activation of all)
    it(activation.name, () => {
      const written = writtenFormulas[activation.name as Name] as (v: Record<string, number>) => number;
      const parameterSets = [
        activation.parameters,
        ...Object.keys(activation.parameters).flatMap((name) =>
          [0.5, -0.7].map((value) => ({
            ...activation.parameters,
            [name]: name.toLowerCase().includes("limit") ? 3 : value,
          })),
        ),
      ];
      for (const parameters of parameterSets)
        for (const inputs of grid(activation, [infinity, -infinity, 1.5, -2, 0])) {
          if (Object.values(inputs).every(Number.isFinite)) continue;
          const point: Record<string, number> = { ...inputs, ...parameters };
          const [own, expected] = [evaluateAt(activation, point), written(point)];
          const agrees = Number.isFinite(expected)
            ? Math.abs(own - expected) < 1e-12
            : Object.is(own, expected);
          if (!agrees) expect.fail(`${own}, as written ${expected}, at ${Object.entries(point).map(String)}`);
        }
    });
});

describe("kinks follow PyTorch", () => {
  const slope = (name: Name, x: number): number => gradientAt(activationByName(name), { x }).x!;
  for (const zero of [0, -0]) {
    it(`relu, relu2, elu, selu at ${Object.is(zero, -0) ? "-0" : "0"}`, () => {
      expect(slope("relu", zero)).toBe(0);
      expect(slope("relu2", zero)).toBe(0);
      expect(slope("elu", zero)).toBe(1);
      expect(slope("selu", zero)).toBe(1.7580993408473766);
    });
    it(`leakyRelu, relu6 at ${Object.is(zero, -0) ? "-0" : "0"}`, () => {
      expect(slope("leakyRelu", zero)).toBe(0.01);
      expect(gradientAt(activations.leakyRelu, { x: zero }).slope! + 0).toBe(0);
      expect(slope("relu6", zero)).toBe(0);
    });
    it(`reglu, drelu, seglu at ${Object.is(zero, -0) ? "-0" : "0"}`, () => {
      expect(gradientAt(activations.reglu, { gate: zero, up: 3 })).toEqual({ gate: 0, up: 0 });
      expect(gradientAt(activations.reglu2, { gate: zero, up: 3 })).toEqual({ gate: 0, up: 0 });
      expect(gradientAt(activations.drelu, { gate: zero, up: 3 })).toEqual({ gate: 0, up: 0 });
      expect(gradientAt(activations.drelu, { gate: 3, up: zero })).toEqual({ gate: 0, up: 0 });
      expect(gradientAt(activations.seglu, { gate: zero, up: 2 }).gate).toBeCloseTo(
        2 * 1.7580993408473766,
        15,
      );
    });
  }

  it("relu6 at 6 has slope 0 (hardtanh's bounds are outside), gelu10 at the clip 1 (clip's are inside)", () => {
    expect([5.999999, 6, 6.000001].map((x) => slope("relu6", x))).toEqual([1, 0, 0]);
    expect(slope("gelu10", 10)).toBeCloseTo(1, 15);
    expect(slope("gelu10", 10 * (1 + 2 ** -52))).toBe(0);
    expect(slope("gelu10", -1e300) + 0).toBe(0);
  });

  it("hardSwish at -3 and 3 has slopes -0.5 and 1.5, the clamp's bounds being inside", () => {
    expect(slope("hardSwish", -3)).toBe(-0.5);
    expect(slope("hardSwish", 3)).toBe(1.5);
    expect(slope("hardSwish", -3.0000001)).toBe(0);
    expect(slope("hardSwish", 3.0000001)).toBe(1);
  });

  it("min(gate, limit) and clamp(up) at their bounds pass the whole gradient to gate and up", () => {
    for (const name of ["swigluOai", "swigluClamped"] as const) {
      const { limit } = activations[name].parameters;
      const inside = gradientAt(activations[name], { gate: limit * (1 - 2 ** -50), up: 1 });
      const atBound = gradientAt(activations[name], { gate: limit, up: 1 });
      expect(atBound.gate).toBeCloseTo(inside.gate!, 12);
      expect(gradientAt(activations[name], { gate: limit * (1 + 2 ** -50), up: 1 }).gate).toBe(0);
      for (const sign of [-1, 1]) {
        const value =
          evaluateAt(activations[name], { gate: 2, up: 1 }) -
          evaluateAt(activations[name], { gate: 2, up: 0 });
        expect(gradientAt(activations[name], { gate: 2, up: sign * limit }).up).toBeCloseTo(value, 12);
        expect(gradientAt(activations[name], { gate: 2, up: sign * limit * (1 + 2 ** -50) }).up).toBe(0);
      }
    }
  });

  it("swigluStep: min(silu(gate), limit) at equality belongs to gate", () => {
    const limit = evaluateAt(activations.silu, { x: 3 });
    const at = gradientAt(activations.swigluStep, { gate: 3, up: 1, limit });
    expect(at.gate).toBe(gradientAt(activations.silu, { x: 3 }).x);
    expect(at.limit).toBe(0);
    expect(gradientAt(activations.swigluStep, { gate: 3.01, up: 1, limit })).toMatchObject({
      gate: 0,
      limit: 1,
    });
  });
});

it("a unary activation as a gated one is a(gate) * up, in value and gradient", () => {
  for (const activation of all.filter(({ kind }) => kind === "unary"))
    for (const gate of [-7.5, -1.25, 0.75, 4]) {
      const slopes = gradientAt(activation, { x: gate });
      const gated = gradientAt(asGated(activation), { gate, up: -2 });
      expect(gated.up).toBe(evaluateAt(activation, { x: gate }));
      expect(gated.gate).toBeCloseTo(-2 * slopes.x!, 14);
      for (const name of Object.keys(activation.parameters))
        expect(gated[name]).toBeCloseTo(-2 * slopes[name]!, 14);
    }
});
