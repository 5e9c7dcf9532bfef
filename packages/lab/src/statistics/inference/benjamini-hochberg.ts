// The correction of many p-values of which some are expected to be discoveries.

/**
 * Adjusted p-values that control the false discovery rate (Benjamini and Hochberg 1995): of m sorted p-values the i-th becomes
 * the least of p(j) m / j over j >= i. Those of at most q are, in expectation, false in a share q of cases. (R: `p.adjust(p, "BH")`.)
 *
 * @returns in the order given
 * @example benjaminiHochberg([0.01, 0.04, 0.03]) // [0.03, 0.04, 0.04]
 */
export function benjaminiHochberg(p: readonly number[]): number[] {
  const descending = p.map((_, i) => i).sort((i, j) => p[j]! - p[i]!);
  const adjusted = [...p];
  let least = 1;
  descending.forEach((index, i) => {
    least = Math.min(least, (p[index]! * p.length) / (p.length - i));
    adjusted[index] = least;
  });
  return adjusted;
}
