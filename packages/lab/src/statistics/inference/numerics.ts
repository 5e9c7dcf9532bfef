// Expectations over the estimated standard deviation, and roots: what the distributions of this folder are computed with.

/** Values that a random variable takes, each with its weight; the weights sum to 1. */
export interface Rule {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/** Where a density has fallen to e^-40 of its peak, nothing is left that a double would show. */
const NEGLIGIBLE = 40;

/**
 * A quadrature rule for S = sqrt(chi-squared(df) / df), the ratio of an estimated standard deviation to the true one:
 * E f(S) = sum of weights[i] f(nodes[i]) for smooth f.
 *
 * The trapezoidal rule in u = ln S, whose density is proportional to exp(df (u - exp(2u) / 2)): analytic and falling on both
 * sides, so that the rule converges exponentially.
 *
 * @param df degrees of freedom, above 0
 * @example expectation(scaledChi(5), (s) => s * s) // 1
 */
export function scaledChi(df: number): Rule {
  const logDensity = (u: number): number => df * (u - Math.expm1(2 * u) / 2);
  const step = Math.min(0.1, 1 / (4 * Math.sqrt(2 * df)));
  const [nodes, weights]: [number[], number[]] = [[], []];
  const add = (u: number): boolean => {
    const exponent = logDensity(u);
    nodes.push(Math.exp(u));
    weights.push(Math.exp(exponent));
    return exponent > -NEGLIGIBLE;
  };
  for (let i = 0; add(i * step); i++);
  for (let i = -1; add(i * step); i--);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { nodes: Float64Array.from(nodes), weights: Float64Array.from(weights, (weight) => weight / total) };
}

/** The mean of a function over a rule. */
export function expectation({ nodes, weights }: Rule, f: (value: number) => number): number {
  let sum = 0;
  for (let i = 0; i < nodes.length; i++) sum += weights[i]! * f(nodes[i]!);
  return sum;
}

/**
 * Where an increasing or decreasing function is zero (bisection, with the secant where it is quicker: regula falsi after
 * Illinois).
 *
 * @throws Error when f has the same sign at both ends
 * @example root((x) => x * x - 2, 0, 2) // 1.41421356...
 */
export function root(f: (x: number) => number, low: number, high: number): number {
  let [a, b, atA, atB] = [low, high, f(low), f(high)];
  if (atA === 0) return a;
  if (atB === 0) return b;
  if (atA > 0 === atB > 0) throw new Error(`there is no root between ${low} and ${high}`);
  for (let i = 0; i < 200 && Math.abs(b - a) > 1e-12 * Math.max(1, Math.abs(b)); i++) {
    const x = b - (atB * (b - a)) / (atB - atA);
    const value = f(x);
    if (value === 0) return x;
    if (value > 0 === atB > 0) atA /= 2;
    else [a, atA] = [b, atB];
    [b, atB] = [x, value];
  }
  return b;
}
