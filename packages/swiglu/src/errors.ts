// Small helpers that keep error messages alike: what was expected, what came, and the nearest name for a misspelt one.

/** Joins names for a sentence: "gate, up and beta". */
export function listing(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** " Did you mean swiglu?" for the known name with the fewest edits, or "" where none is near. */
export function suggestion(name: string, known: readonly string[]): string {
  let best = { candidate: "", distance: Number.POSITIVE_INFINITY };
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < best.distance) best = { candidate, distance };
  }
  return best.distance <= Math.max(1, Math.floor(name.length / 3)) ? ` Did you mean ${best.candidate}?` : "";
}

/** Levenshtein's distance: insertions, deletions and replacements between two words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** Throws a TypeError for keys of `given` that are not among `known`. `what` names the argument's kind ("input"). */
export function rejectUnknownKeys(
  given: object,
  known: readonly string[],
  what: string,
  owner: string,
): void {
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const takes = known.length > 0 ? `takes ${listing(known)}` : `takes no ${what}s`;
    throw new TypeError(`unknown ${what} ${key}: ${owner} ${takes}.${suggestion(key, known)}`);
  }
}
