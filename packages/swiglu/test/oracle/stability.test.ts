// The definitions and the derivative rules allow accurate float32 kernels: evaluated with every operation rounded to
// float32, values, gradients and gradients times dy hold the project's bound against float64.
import { describe, expect, it } from "vitest";
import { type Activation, gradientExpressions } from "../../src/catalogue/activation.js";
import { activations } from "../../src/catalogue/catalogue.js";
import { errorScale, float32 } from "../../src/expression/bound.js";
import { type Expr, mul } from "../../src/expression/expr.js";
import { lower } from "../../src/expression/lower.js";
import { simplify } from "../../src/expression/simplify.js";
import { compile } from "../../src/expression/tape.js";
import { float32Evaluator } from "./float32.js";
import { float32Format, floor, isRepresentable } from "./measure.js";
import { pointsOf, seeded } from "./points.js";

/** The activation's points with float32 values and an incoming gradient. */
function float32Points(activation: Activation, seed: number): Record<string, number>[] {
  const random = seeded(seed);
  return pointsOf(activation, { count: 2500, seed, huge: 126 })
    .map((point) => ({ ...point, dy: (random() < 0.5 ? -1 : 1) * 2 ** (random() * 60 - 30) }))
    .map((point) => Object.fromEntries(Object.entries(point).map(([name, v]) => [name, Math.fround(v)])))
    .filter((point) => Object.values(point).every(Number.isFinite));
}

/** What a forward and a backward kernel compute. */
function quantities(activation: Activation): Record<string, Expr> {
  const slopes = Object.entries(gradientExpressions(activation));
  return {
    value: activation.expression,
    ...Object.fromEntries(slopes.map(([name, slope]) => [`d${name}`, slope])),
    ...Object.fromEntries(slopes.map(([name, slope]) => [`d${name} * dy`, mul(slope, "dy")])),
  };
}

/** The two ways to a kernel: a target that has every special function, and one that has only the basic operations. */
const ways: Record<string, (expr: Expr) => Expr> = {
  "special functions exact": simplify,
  "lowered to basic operations": (expr) => lower(expr, new Set(), float32),
};

for (const [way, prepare] of Object.entries(ways)) {
  describe(`rounded to float32 after every operation, ${way}: error at most 4 * 2^-23 (|f| + sum |v df/dv|)`, () => {
    for (const [seed, activation] of Object.values<Activation>(activations).entries()) {
      it(activation.name, () => {
        const points = float32Points(activation, seed);
        const variables = [...activation.inputs, ...Object.keys(activation.parameters), "dy"];
        for (const [quantity, expr] of Object.entries(quantities(activation))) {
          const reference = compile([expr, errorScale(expr)], variables);
          const kernel = float32Evaluator(prepare(expr));
          for (const point of points) {
            const [exact = Number.NaN, scale = Number.NaN] = reference.run(
              variables.map((name) => point[name]!),
            );
            const around = quantity.endsWith("dy") ? point : { ...point, dy: 1 };
            if (!isRepresentable(exact, around, float32Format)) continue;
            const error = Math.abs(kernel(point) - exact);
            const bound = 4 * float32Format.epsilon * scale + floor(around, float32Format);
            if (!(error <= bound))
              expect.fail(`${quantity} at ${JSON.stringify(point)}: ${error} off, allowed ${bound}`);
          }
        }
      });
    }
  });
}
