// BLEU (Papineni et al. 2002) as sacreBLEU computes it for a corpus (Post 2018): tokenised by mteval-v13a's rules, exponential
// smoothing, orders 1 to 4.
import { common, countRuns, runsAmong } from "./ngrams.js";

const ORDER = 4;

/**
 * BLEU of translations, 0 to 100. An order without any match counts as half a match, the next one as a quarter ...
 *
 * @param references for each translation one or several
 * @param effectiveOrder leave out the orders for which the translations are too short, rather than give 0
 * @example bleu(["The dog bit the man."], [["The dog bit the man."]]) // 100
 */
export function bleu(
  outputs: readonly string[],
  references: readonly (readonly string[])[],
  { effectiveOrder = true } = {},
): number {
  const orders = Array.from({ length: ORDER }, (_, i) => ({ n: i + 1, out: 0, shared: 0 }));
  let outputLength = 0;
  let referenceLength = 0;
  outputs.forEach((output, i) => {
    const own = tokenize13a(output);
    const others = references[i]!.map(tokenize13a);
    outputLength += own.length;
    referenceLength += closest(
      own.length,
      others.map(({ length }) => length),
    );
    for (const order of orders) {
      order.out += runsAmong(own.length, order.n);
      order.shared += common(
        countRuns(own, order.n),
        largest(others.map((other) => countRuns(other, order.n))),
      );
    }
  });
  if (orders.every(({ shared }) => shared === 0)) return 0;
  const used = orders.filter(({ out }) => out > 0);
  if (used.length < ORDER && !effectiveOrder) return 0;
  let smoothing = 1;
  const logs = used.map(({ out, shared }) => {
    if (shared > 0) return Math.log(shared / out);
    smoothing *= 2;
    return Math.log(1 / (smoothing * out));
  });
  const brevity = outputLength < referenceLength ? 1 - referenceLength / outputLength : 0;
  return 100 * Math.exp(brevity + logs.reduce((sum, value) => sum + value, 0) / used.length);
}

/** The tokens of mteval-v13a, the script of the WMT evaluations. */
export function tokenize13a(text: string): string[] {
  const plain = text
    .trimEnd()
    .replaceAll("<skipped>", "")
    .replaceAll("-\n", "")
    .replaceAll("\n", " ")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
  return ` ${plain} `
    .replace(/[{-~[-` -&(-+:-@/]/g, " $& ") // ASCII punctuation but ' , - .
    .replace(/([^0-9])([.,])/gu, "$1 $2 ") // period and comma, unless a digit is before ...
    .replace(/([.,])([^0-9])/gu, " $1 $2") // ... or behind them
    .replace(/([0-9])(-)/g, "$1 $2 ") // a dash behind a digit
    .split(/\s+/u)
    .filter((token) => token !== "");
}

/** The reference length nearest to a translation's; of two equally near ones the smaller. */
const closest = (length: number, candidates: readonly number[]): number =>
  candidates.reduce((best, candidate) => {
    const [gap, least] = [Math.abs(candidate - length), Math.abs(best - length)];
    return gap < least || (gap === least && candidate < best) ? candidate : best;
  });

/** Each run as often as in the reference that has it most often. */
function largest(counts: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const all = new Map<string, number>();
  for (const [run, count] of counts.flatMap((each) => [...each])) {
    all.set(run, Math.max(count, all.get(run) ?? 0));
  }
  return all;
}
