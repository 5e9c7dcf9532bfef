// Divides examples into training, validation and test so that nothing leaks: what shares passages stays together.
import { UserError } from "../system/errors.js";
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

/** The most texts that can be grouped: their number and a run's 32 bits make one exact double. */
const MOST_TEXTS = 2 ** 20;

/** What more texts than this have in common is a formula of the genre, not a copy. */
const FORMULA = 100;

/**
 * Groups texts of which two share passages: at least `share` of the shorter one's runs of `length` words.
 *
 * @returns a group for each text: the index of its first member
 */
export function groupByPassages(texts: readonly string[], length: number, share: number): number[] {
  if (texts.length > MOST_TEXTS)
    throw new UserError(
      `there are ${texts.length} texts: at most ${MOST_TEXTS} can be compared with each other.`,
    );
  const counts = new Float64Array(texts.length);
  const shared = new Map<number, number>();
  for (const members of sharersOfRuns(texts, length)) {
    for (const text of members) counts[text]!++;
    if (members.length > FORMULA) continue;
    for (const [k, b] of members.entries()) {
      for (const a of members.slice(0, k)) {
        const pair = a * MOST_TEXTS + b;
        shared.set(pair, (shared.get(pair) ?? 0) + 1);
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
    const [a, b] = [Math.floor(pair / MOST_TEXTS), pair % MOST_TEXTS];
    if (common < share * Math.min(counts[a]!, counts[b]!)) continue;
    const [first, second] = [find(a), find(b)].sort((x, y) => x - y);
    group[second!] = first!;
  }
  return texts.map((_, i) => find(i));
}

/** For each different run of words the texts that have it, in order. */
function* sharersOfRuns(texts: readonly string[], length: number): Generator<number[]> {
  const runs = texts.map((text) => runsOf(text, length));
  const all = new Float64Array(runs.reduce((sum, own) => sum + own.length, 0));
  let filled = 0;
  runs.forEach((own, text) => {
    for (const run of own) all[filled++] = run * MOST_TEXTS + text;
  });
  all.sort();
  for (let i = 0; i < all.length; ) {
    const run = Math.floor(all[i]! / MOST_TEXTS);
    const members: number[] = [];
    for (; i < all.length && Math.floor(all[i]! / MOST_TEXTS) === run; i++) {
      const text = all[i]! % MOST_TEXTS;
      if (members.at(-1) !== text) members.push(text);
    }
    yield members;
  }
}

/** Hashes of all runs of `length` words, letters and digits alone, in lower case; of a shorter text, of all its words. */
function runsOf(text: string, length: number): Uint32Array {
  const words = (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map(hashOfWord);
  const size = Math.min(length, words.length);
  let leaving = 1; // what multiplies a word that leaves the run
  for (let i = 0; i < size; i++) leaving = Math.imul(leaving, BASE);
  const runs = new Uint32Array(words.length === 0 ? 0 : words.length - size + 1);
  let hash = 0;
  words.forEach((word, i) => {
    hash = (Math.imul(hash, BASE) + word - Math.imul(words[i - size] ?? 0, leaving)) | 0;
    if (i + 1 >= size) runs[i + 1 - size] = hash;
  });
  return runs;
}

/** The base of the polynomial of words, modulo 2^32, that is a run's hash. */
const BASE = 0x5bd1e995;

/** FNV-1a, 32 bits. */
function hashOfWord(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash;
}
