// Divides examples into training, validation and test so that nothing leaks: what shares passages stays together.
import { permutation, stream } from "./random.js";

export interface Partition<T> {
  readonly train: readonly T[];
  readonly validation: readonly T[];
  readonly test: readonly T[];
}

/**
 * One part in twelve, by size, is held back for validation and one for the test: whole groups, the same ones always.
 * A group larger than that is trained on. Every part keeps the order of the examples.
 *
 * @param groups of each example, as a number; examples of one group are in the same part
 * @returns undefined where there are fewer than three groups
 */
export function partition<T>(
  examples: readonly T[],
  groups: readonly number[],
  sizeOf: (example: T) => number,
): Partition<T> | undefined {
  const names = [...new Set(groups)];
  if (names.length < 3) return undefined;
  const sizes = new Map<number, number>();
  examples.forEach((example, i) => {
    sizes.set(groups[i]!, (sizes.get(groups[i]!) ?? 0) + sizeOf(example));
  });
  const total = [...sizes.values()].reduce((a, b) => a + b, 0);
  const order = Array.from(permutation(names.length, stream(0, "parts")), (i) => names[i]!);
  const held = (): Set<number> => {
    const taken = new Set<number>();
    let size = 0;
    while (size < total / 12 && order.length > 1) {
      const at = order.findIndex((group) => sizes.get(group)! <= total / 12);
      const [next] = order.splice(Math.max(0, at), 1);
      taken.add(next!);
      size += sizes.get(next!)!;
    }
    return taken;
  };
  const validation = held();
  const test = held();
  const part = (isIn: (group: number) => boolean): T[] => examples.filter((_, i) => isIn(groups[i]!));
  return {
    train: part((group) => !validation.has(group) && !test.has(group)),
    validation: part((group) => validation.has(group)),
    test: part((group) => test.has(group)),
  };
}

/**
 * Groups texts of which two share passages: at least `share` of the shorter one's runs of `length` words.
 *
 * @returns a group for each text: the index of its first member
 */
export function groupByPassages(texts: readonly string[], length: number, share: number): number[] {
  const owners = new Map<number, number[]>();
  const counts = texts.map((text, i) => {
    const runs = runsOf(text, length);
    for (const run of runs) {
      const list = owners.get(run);
      if (list === undefined) owners.set(run, [i]);
      else list.push(i);
    }
    return runs.size;
  });
  const shared = new Map<number, number>();
  for (const list of owners.values()) {
    // What very many have in common is a formula of the genre, not a copy.
    if (list.length === 1 || list.length > 100) continue;
    for (const [k, b] of list.entries()) {
      for (const a of list.slice(0, k)) {
        shared.set(a * texts.length + b, (shared.get(a * texts.length + b) ?? 0) + 1);
      }
    }
  }
  const group = texts.map((_, i) => i);
  const find = (i: number): number => {
    let root = i;
    while (group[root] !== root) root = group[root]!;
    return root;
  };
  for (const [pair, common] of shared) {
    const [a, b] = [Math.floor(pair / texts.length), pair % texts.length];
    if (common < share * Math.min(counts[a]!, counts[b]!)) continue;
    const [first, second] = [find(a), find(b)].sort((x, y) => x - y);
    group[second!] = first!;
  }
  return texts.map((_, i) => find(i));
}

/** Hashes of all runs of `length` words, letters and digits alone, in lower case; of a shorter text, of all its words. */
function runsOf(text: string, length: number): Set<number> {
  const words = (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map(hashOfWord);
  const runs = new Set<number>();
  for (let i = 0; i === 0 || i + length <= words.length; i++) {
    let hash = 0;
    for (let k = i; k < Math.min(i + length, words.length); k++) {
      // Two 26-bit halves of a 52-bit hash: exact in a double, and collisions do not matter at millions.
      hash = (hash * 31 + words[k]!) % 4503599627370449;
    }
    runs.add(hash);
  }
  return runs;
}

function hashOfWord(word: string): number {
  let hash = 0;
  for (let i = 0; i < word.length; i++) hash = (hash * 131 + word.charCodeAt(i)) % 67108859;
  return hash;
}
