// Every activation of the catalogue, its value and all its derivatives in float64, against the oracle's formulas.
import { describe, expect, it } from "vitest";
import { gradientExpressions } from "../../src/catalogue/activation.js";
import { activationByName, activations } from "../../src/catalogue/catalogue.js";
import { errorScale, float64 } from "../../src/expression/bound.js";
import type { Expr } from "../../src/expression/expr.js";
import { lower } from "../../src/expression/lower.js";
import { compile, type Tape } from "../../src/expression/tape.js";
import { slowExtent } from "../conformance/extent.js";
import { type Exact, exact, formulas, type Name } from "./formulas.js";
import { float64Format, floor, isRepresentable, unitsOff } from "./measure.js";
import { pointsOf } from "./points.js";
import { evaluateAt, gradientAt } from "./scalars.js";

/** Decimal arithmetic is slow; any ten points in a row are drawn in all ways. */
const count = slowExtent === "full" ? 120 : 30;

const names = Object.keys(formulas) as Name[];

it("the oracle has a formula for every activation of the catalogue", () => {
  expect(names.toSorted()).toEqual(Object.keys(activations).toSorted());
});

describe("float64 error of value and gradient at most 4 * 2^-52 (|f| + sum |v df/dv|), finite where representable", () => {
  for (const [seed, name] of names.entries()) {
    const activation = activationByName(name);
    it(name, () => {
      const derived = derivedTapes(name);
      for (const point of pointsOf(activation, { count, seed })) {
        const { value, slopes } = exact(name, point);
        const own: Record<string, number> = {
          value: evaluateAt(activation, point),
          ...gradientAt(activation, point),
        };
        for (const [quantity, result] of Object.entries({ value, ...slopes })) {
          const where = `${quantity} of ${name} at ${JSON.stringify(point)}`;
          const [lowered = Number.NaN, scale = Number.NaN] = derived[quantity]!.run(Object.values(point));
          expectWithinBound(own[quantity]!, result, point, where);
          expectWithinBound(lowered, result, point, `lowered ${where}`);
          if (inFloat32Range(point)) expectScale(scale, result, where);
        }
      }
    });
  }
});

describe("a limit of Infinity is none: value and gradient are those with one that nothing reaches, 1e300", () => {
  for (const name of ["swigluOai", "swigluClamped", "swigluStep", "situGlu"] as const)
    it(name, () => {
      const activation = activationByName(name);
      const limits = Object.keys(activation.parameters).filter((each) =>
        each.toLowerCase().endsWith("limit"),
      );
      const all = (value: number) => Object.fromEntries(limits.map((limit) => [limit, value]));
      for (const point of pointsOf(activation, { count: 60, seed: 9 })) {
        if (Object.values(point).some((value) => Math.abs(value) > 1e100)) continue;
        const { value, slopes } = exact(name, { ...point, ...all(1e300) });
        const without = { ...point, ...all(Number.POSITIVE_INFINITY) };
        const own: Record<string, number> = {
          value: evaluateAt(activation, without),
          ...gradientAt(activation, without),
        };
        for (const [quantity, result] of Object.entries({ value, ...slopes }))
          expectWithinBound(
            own[quantity]!,
            result,
            point,
            `${quantity} of ${name} at ${JSON.stringify(without)}`,
          );
        for (const limit of limits) expect(own[limit]).toBe(0);
      }
    });
});

/** For the value and each derivative, by name: it lowered to basic operations, and the library's own error scale of it. */
function derivedTapes(name: Name): Record<string, Tape> {
  const activation = activationByName(name);
  const variables = [...activation.inputs, ...Object.keys(activation.parameters)];
  const quantities = { value: activation.expression, ...gradientExpressions(activation) };
  return Object.fromEntries(
    Object.entries<Expr>(quantities).map(([quantity, expr]) => [
      quantity,
      compile([lower(expr, new Set(), float64), errorScale(expr)], variables),
    ]),
  );
}

function expectWithinBound(
  own: number,
  { result, scale }: Exact,
  point: Record<string, number>,
  where: string,
): void {
  if (!isRepresentable(result.toNumber(), point, float64Format)) return;
  expect(unitsOff(own, result, scale, floor(point, float64Format), float64Format), where).toBeLessThanOrEqual(
    4,
  );
}

const inFloat32Range = (point: Record<string, number>): boolean =>
  Object.values(point).every((v) => v === 0 || (Math.abs(v) < 2 ** 127 && Math.abs(v) > 2 ** -127));

/** The scale that the library derives for its float32 bounds is the oracle's, for inputs in the range of float32. */
function expectScale(own: number, { scale }: Exact, where: string): void {
  if (scale.lessThan(1e-250)) return;
  expect(own / scale.toNumber(), `error scale of ${where}`).toBeCloseTo(1, 6);
}
