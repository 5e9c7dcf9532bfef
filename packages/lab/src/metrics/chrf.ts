// chrF (Popovic 2015) as sacreBLEU computes it for a corpus: the F-score of runs of 1 to 6 characters, white space left out.
import { common, countRuns, runsAmong } from "./ngrams.js";

const ORDER = 6;

/**
 * chrF of translations, 0 to 100: `(1 + beta^2) P R / (beta^2 P + R)`, where precision and recall of each order are taken
 * over the whole corpus and averaged over the orders that both sides have.
 *
 * @param references one for each translation
 * @param beta how much more recall counts than precision; sacreBLEU's default is 2
 * @example chrf(["the cat"], ["the cat"]) // 100
 */
export function chrf(outputs: readonly string[], references: readonly string[], beta = 2): number {
  const orders = Array.from({ length: ORDER }, (_, i) => ({ n: i + 1, out: 0, expected: 0, shared: 0 }));
  outputs.forEach((output, i) => {
    const [own, other] = [charactersOf(output), charactersOf(references[i]!)];
    for (const order of orders) {
      const expected = runsAmong(other.length, order.n);
      // Where the reference has no run of this length, the translation's do not count.
      if (expected > 0) order.out += runsAmong(own.length, order.n);
      order.expected += expected;
      order.shared += common(countRuns(own, order.n), countRuns(other, order.n));
    }
  });
  const used = orders.filter(({ out, expected }) => out > 0 && expected > 0);
  if (used.length === 0) return 0;
  const average = (of: (order: (typeof orders)[number]) => number): number =>
    used.reduce((sum, order) => sum + of(order), 0) / used.length;
  const precision = average(({ shared, out }) => shared / out);
  const recall = average(({ shared, expected }) => shared / expected);
  if (precision + recall === 0) return 0;
  return (100 * (1 + beta ** 2) * precision * recall) / (beta ** 2 * precision + recall);
}

const charactersOf = (text: string): string[] => [...text.replace(/\s+/gu, "")];
