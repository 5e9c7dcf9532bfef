// Every activation of the catalogue, its value and all its derivatives in float64, against the oracle's formulas.
import { describe, expect, it } from "vitest";
import { gradientExpressions } from "../../src/catalogue/activation.js";
import { activationByName, activations } from "../../src/catalogue/catalogue.js";
import { errorScale } from "../../src/expression/bound.js";
import type { Expr } from "../../src/expression/expr.js";
import { compile } from "../../src/expression/tape.js";
import { type Exact, exact, formulas, type Name } from "./formulas.js";
import { FLOAT64, floor, isRepresentable, unitsOff } from "./measure.js";
import { pointsOf } from "./points.js";
import { evaluateAt, gradientAt } from "./scalars.js";

const NAMES = Object.keys(formulas) as Name[];

it("the oracle has a formula for every activation of the catalogue", () => {
  expect(NAMES.toSorted()).toEqual(Object.keys(activations).toSorted());
});

describe("float64 error of value and gradient at most 4 * 2^-52 (|f| + sum |v df/dv|), finite where representable", () => {
  for (const [seed, name] of NAMES.entries()) {
    const activation = activationByName(name);
    it(name, () => {
      const scales = scaleTapes(name);
      for (const point of pointsOf(activation, { count: 120, seed })) {
        const { value, slopes } = exact(name, point);
        const own: Record<string, number> = {
          value: evaluateAt(activation, point),
          ...gradientAt(activation, point),
        };
        for (const [quantity, result] of Object.entries({ value, ...slopes })) {
          const where = `${quantity} of ${name} at ${JSON.stringify(point)}`;
          if (isRepresentable(result.result.toNumber(), point, FLOAT64))
            expect(
              unitsOff(own[quantity]!, result.result, result.scale, floor(point, FLOAT64), FLOAT64),
              where,
            ).toBeLessThanOrEqual(4);
          if (
            Object.values(point).every((v) => v === 0 || (Math.abs(v) < 2 ** 127 && Math.abs(v) > 2 ** -127))
          )
            expectScale(scales[quantity]!(Object.values(point)), result, where);
        }
      }
    });
  }
});

/** The library's own error scale of the value and of each derivative, by name. */
function scaleTapes(name: Name): Record<string, (values: number[]) => number> {
  const activation = activationByName(name);
  const variables = [...activation.inputs, ...Object.keys(activation.parameters)];
  const quantities: Record<string, Expr> = {
    value: activation.expression,
    ...gradientExpressions(activation),
  };
  return Object.fromEntries(
    Object.entries(quantities).map(([quantity, expr]) => {
      const tape = compile([errorScale(expr)], variables);
      return [quantity, (values) => tape.run(values)[0]!];
    }),
  );
}

/** The scale that the library derives for its float32 bounds is the oracle's, for inputs in the range of float32. */
function expectScale(own: number, { scale }: Exact, where: string): void {
  if (scale.lessThan(1e-250)) return;
  expect(own / scale.toNumber(), `error scale of ${where}`).toBeCloseTo(1, 6);
}
