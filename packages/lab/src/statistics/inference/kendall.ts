// How alike two orders are: Kendall's tau, and how often chance agrees as well.

export interface Agreement {
  /** Pairs that both orders put the same way round, out of n (n - 1) / 2. */
  readonly concordant: number;
  readonly pairs: number;
  /** (concordant - discordant) / pairs: 1 for the same order, -1 for the opposite one. */
  readonly tau: number;
  /** The share of all orders that agree as well or better: the one-sided exact p-value. */
  readonly p: number;
}

/**
 * Kendall's tau (1938) of two orders of the same things, no two of which are level.
 * (R: `cor.test(a, b, method = "kendall", alternative = "greater")`.)
 *
 * @param a values of the things, two or more
 * @param b other values of the same things
 * @throws RangeError for values that are level, or differ in number
 * @example kendall([1, 2, 3, 4], [1, 2, 4, 3]) // { concordant: 5, pairs: 6, tau: 0.667, p: 0.167 }
 */
export function kendall(a: readonly number[], b: readonly number[]): Agreement {
  const n = a.length;
  if (b.length !== n || n < 2 || new Set(a).size < n || new Set(b).size < n) {
    throw new RangeError(
      `a is ${a.join(", ")} and b is ${b.join(", ")}: expected as many of each, two or more, none of them level.`,
    );
  }
  const pairs = (n * (n - 1)) / 2;
  let concordant = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) if (a[i]! > a[j]! === b[i]! > b[j]!) concordant++;
  const orders = ordersByInversions(n);
  const total = sum(orders);
  return {
    concordant,
    pairs,
    tau: (2 * concordant) / pairs - 1,
    p: sum(orders.slice(0, pairs - concordant + 1)) / total,
  };
}

/** How many orders of n things have 0, 1, 2 ... pairs the other way round: each further thing has 0 to n - 1 before it. */
function ordersByInversions(n: number): number[] {
  let counts = [1];
  for (let size = 2; size <= n; size++) {
    const next = new Array<number>(counts.length + size - 1).fill(0);
    counts.forEach((count, inversions) => {
      for (let more = 0; more < size; more++) next[inversions + more]! += count;
    });
    counts = next;
  }
  return counts;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
