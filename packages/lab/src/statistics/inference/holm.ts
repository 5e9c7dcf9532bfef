// The correction of a few p-values, none of which may be a false alarm.

/**
 * Adjusted p-values that control the chance of any false alarm (Holm 1979): of m sorted p-values the i-th, from 1, becomes the
 * largest of p(j) (m - j + 1) over j <= i, at most 1. (R: `p.adjust(p, "holm")`.)
 *
 * @returns in the order given
 * @example holm([0.01, 0.04, 0.03]) // [0.03, 0.06, 0.06]
 */
export function holm(p: readonly number[]): number[] {
  const ascending = p.map((_, i) => i).sort((i, j) => p[i]! - p[j]!);
  const adjusted = [...p];
  let largest = 0;
  ascending.forEach((index, i) => {
    largest = Math.max(largest, Math.min(1, p[index]! * (p.length - i)));
    adjusted[index] = largest;
  });
  return adjusted;
}
