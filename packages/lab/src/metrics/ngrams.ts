// Runs of n items, counted: what both chrF and BLEU compare.

/** How often each run of `n` items occurs. Items are joined by a character that none of them contains. */
export function countRuns(items: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= items.length; i++) {
    const run = items.slice(i, i + n).join("\u0000");
    counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  return counts;
}

/** Runs that both have, each as often as in the one that has it less often. */
export function common(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [run, count] of a) sum += Math.min(count, b.get(run) ?? 0);
  return sum;
}

/** How many runs of `n` there are among `length` items. */
export const runsAmong = (length: number, n: number): number => Math.max(0, length - n + 1);
