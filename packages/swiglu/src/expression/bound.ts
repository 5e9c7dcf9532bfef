// The greatest error that a kernel may make, derived from the expression that it computes.
// A plain relative bound fails near zeros and under cancellation. This one measures what rounding the inputs alone would do.

import { differentiate } from "./differentiate.js";
import { abs, add, type Expr, mul, variablesOf } from "./expr.js";
import { simplify } from "./simplify.js";
import { compile } from "./tape.js";

/**
 * The scale of an expression's rounding error, `|f| + sum over variables v of |v * df/dv|`, as an expression itself.
 * Source: first-order error analysis; a relative change of `u` in each variable moves `f` by at most `u` times the sum.
 */
export function errorScale(expr: Expr): Expr {
  const sensitivities = [...variablesOf(expr)].map((name) => abs(mul(name, differentiate(expr, name))));
  return simplify(sensitivities.reduce((sum, term) => add(sum, term), abs(expr)));
}

/** The units of one floating-point format: its relative step and its smallest normal number. */
export interface Precision {
  readonly epsilon: number;
  readonly smallest: number;
}
export const float32: Precision = { epsilon: 2 ** -23, smallest: 2 ** -126 };
export const float64: Precision = { epsilon: 2 ** -52, smallest: 2 ** -1022 };

/**
 * The greatest error that a kernel for `expr` may make at the given values, against the exact result there:
 * `4 epsilon (|f| + sum |v df/dv|) + smallest max(1, |up|, |dy|)`.
 * Returns a function of the variables' values, in the order of `variables`.
 */
export function errorBound(
  expr: Expr,
  variables: readonly string[],
  { epsilon, smallest }: Precision = float32,
): (values: ArrayLike<number>) => number {
  const scale = compile([errorScale(expr)], variables);
  const amplifiers = ["up", "dy"].map((name) => variables.indexOf(name)).filter((index) => index >= 0);
  return (values) => {
    const amplitude = Math.max(1, ...amplifiers.map((index) => Math.abs(values[index] as number)));
    return 4 * epsilon * (scale.run(values)[0] as number) + smallest * amplitude;
  };
}
