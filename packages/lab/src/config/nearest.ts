// Suggests what a mistyped name may have meant.

/** Nothing that is longer can be a mistyped name. */
const LONGEST = 100;

/** The names nearest to `name` by edit distance, best first, at most three; none when nothing is near. */
export function nearestNames(name: string, names: Iterable<string>): string[] {
  if (name.length > LONGEST) return [];
  const limit = Math.max(2, Math.ceil(name.length / 3));
  return [...names]
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(
      ({ candidate, distance }) =>
        distance <= limit || candidate.toLowerCase().startsWith(name.toLowerCase()),
    )
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Insertions, deletions and replacements that turn `a` into `b` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const previous = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replace, previous[j]! + 1, row[j - 1]! + 1);
    }
  }
  return row[b.length]!;
}
