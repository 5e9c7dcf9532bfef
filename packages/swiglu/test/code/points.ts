// Where printed code is compared with the reference: points of every activation, off its ties, with its own values there.
import { type Activation, gradientExpressions } from "../../src/catalogue/activation.js";
import { activations } from "../../src/catalogue/catalogue.js";
import { errorBound, float64, type Precision } from "../../src/expression/bound.js";
import type { Expr } from "../../src/expression/expr.js";
import { compile } from "../../src/expression/tape.js";
import { activationFromText } from "../../src/formula/activation.js";

/** The catalogue, and formulas that ask for what it does not: parameters alone, choices, every other operation, odd names. */
export const all: readonly Activation[] = [
  ...Object.values<Activation>(activations),
  activationFromText("ownScale(beta = 0.75) = gate * sigmoid(softplus(beta) * gate) * up"),
  activationFromText("stepped(low = 0.25) = x > 0.1 ? low : x * low"),
  activationFromText("whole(k = 2) = k > 1 ? x * k : exp(x)"),
  activationFromText(
    "rest = tanhResidual(x) + atluSlope(x) + sigmoidSlope(x) + sqrt(abs(x) + 1) + log(x^2 + 1) + max(x, -x^2 - 1)",
  ),
  activationFromText(
    "lambda(while = 2, gl__b = 3, t1 = 1, alphaP = 1, alpha_p = 2) = x * while + gl__b * t1 * softplus(x) * sigmoid(softplus(x)) * alphaP / alpha_p",
  ),
  activationFromText("tanh(relu2 = 1) = tanh(x) * relu2 * (x > 0 ? 1 : 2)"),
];

/** The values of the inputs; parameters have their defaults. */
const points: readonly number[] = [
  -800, -90.5, -20.3, -7.7, -2.9, -1.3, -0.4, -1e-3, 1e-4, 0.3, 0.9, 2.2, 6.1, 12.4, 95.5, 800,
];

export interface Case {
  readonly inputs: readonly number[];
  readonly parameters: readonly number[];
  /** The value, then the slopes in the inputs and the parameters. */
  readonly expected: readonly number[];
  /** How far off each may be in this precision, in units of 4 epsilon of what rounding does to it. */
  readonly bounds: readonly number[];
}

export function casesOf(activation: Activation, precision: Precision = float64, largest = Infinity): Case[] {
  const { inputs, parameters, expression } = activation;
  const variables = [...inputs, ...Object.keys(parameters)];
  const exprs: readonly Expr[] = [expression, ...Object.values(gradientExpressions(activation))];
  const tape = compile(exprs, variables);
  const bounds = exprs.map((expr) => errorBound(expr, variables, precision));
  return points
    .filter((point) => Math.abs(point) <= largest)
    .map((point, i) => {
      const at = inputs.length === 1 ? [point] : [point, points[(i * 5 + 3) % points.length] as number];
      const values = [...at, ...Object.values(parameters)];
      return {
        inputs: at,
        parameters: Object.values(parameters),
        expected: [...tape.run(values)],
        bounds: bounds.map((bound) => bound(values)),
      };
    });
}
