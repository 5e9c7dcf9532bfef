// Polynomials that stand for functions in kernels. They are fitted when a kernel is made, from the float64 functions.

/** A polynomial of that degree through a function at the Chebyshev points of [from, to]; lowest power first. */
export function fit(f: (x: number) => number, from: number, to: number, degree: number): number[] {
  const points = Array.from(
    { length: degree + 1 },
    (_, k) => (from + to) / 2 + ((to - from) / 2) * Math.cos((Math.PI * (k + 0.5)) / (degree + 1)),
  );
  return through(f, points);
}

/** The polynomial through a function at these points: Newton's divided differences, then expanded into powers. */
export function through(f: (x: number) => number, nodes: readonly number[]): number[] {
  const degree = nodes.length - 1;
  const slopes = nodes.map(f);
  for (let order = 1; order <= degree; order++)
    for (let k = degree; k >= order; k--)
      slopes[k] = (slopes[k]! - slopes[k - 1]!) / (nodes[k]! - nodes[k - order]!);
  let powers = [slopes[degree]!];
  for (let k = degree - 1; k >= 0; k--) {
    const shifted = [0, ...powers];
    powers.forEach((factor, i) => {
      shifted[i]! -= nodes[k]! * factor;
    });
    shifted[0]! += slopes[k]!;
    powers = shifted;
  }
  return powers;
}

/**
 * The polynomial with these coefficients, lowest power first, by Horner's rule, in any notation: `number` writes the highest
 * coefficient, and `step` writes `factor + t sum`.
 */
export function horner<T>(
  coefficients: readonly number[],
  number: (coefficient: number) => T,
  step: (factor: number, sum: T) => T,
): T {
  const [highest = 0, ...others] = coefficients.toReversed();
  return others.reduce<T>((sum, factor) => step(factor, sum), number(highest));
}
