// Byte-pair encoding as in GPT-2: text is split into words with their leading space, words into bytes, and the pairs
// learned from a text are merged in the order in which they were learned. Bytes are tokens too, so no text is outside.
import { UserError } from "../system/errors.js";
import { grouped } from "../words/format.js";

/** The pattern of GPT-2's words; what it matches, one after the other, is the whole text. */
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

const BYTES = 256;

/** Merges are keyed by one number: left * BASE + right. */
const BASE = 2 ** 26;

/** Tokens: 0 to 255 are bytes, then come the merged pairs in the order learned, then marks that no text contains. */
export class Tokenizer {
  /** Number of tokens. */
  readonly vocabulary: number;
  private readonly ranks: ReadonlyMap<number, number>;
  private readonly bytes: readonly Uint8Array[];
  private readonly cache = new Map<string, readonly number[]>();

  /**
   * @param merges pairs of tokens; pair i becomes token 256 + i
   * @param marks names of further tokens, such as one for the end of a text
   */
  constructor(
    readonly merges: readonly (readonly [number, number])[],
    readonly marks: readonly string[],
  ) {
    this.vocabulary = BYTES + merges.length + marks.length;
    this.ranks = new Map(merges.map(([left, right], i) => [left * BASE + right, BYTES + i]));
    const bytes = Array.from({ length: BYTES }, (_, byte) => Uint8Array.of(byte));
    for (const [left, right] of merges) bytes.push(Uint8Array.of(...bytes[left]!, ...bytes[right]!));
    this.bytes = bytes;
  }

  /** The token of a mark. */
  mark(name: string): number {
    const index = this.marks.indexOf(name);
    if (index < 0) throw new Error(`there is no mark ${name}; there are ${this.marks.join(", ")}`);
    return BYTES + this.merges.length + index;
  }

  encode(text: string): number[] {
    const tokens: number[] = [];
    for (const [word] of text.matchAll(WORDS)) {
      let known = this.cache.get(word);
      if (known === undefined) {
        known = this.merge([...Buffer.from(word)]);
        this.cache.set(word, known);
      }
      for (const token of known) tokens.push(token);
    }
    return tokens;
  }

  /** The text of tokens; marks are left out, and bytes that are no UTF-8 become U+FFFD. */
  decode(tokens: Iterable<number>): string {
    const parts: Uint8Array[] = [];
    for (const token of tokens) {
      const bytes = this.bytes[token];
      if (bytes !== undefined) parts.push(bytes);
    }
    return Buffer.concat(parts).toString();
  }

  /** How many bytes each token stands for; 0 for marks. */
  byteLength(token: number): number {
    return this.bytes[token]?.length ?? 0;
  }

  /** Merges the pair that was learned first, again and again. */
  private merge(tokens: number[]): readonly number[] {
    for (;;) {
      let best = Number.POSITIVE_INFINITY;
      let place = -1;
      for (let i = 0; i + 1 < tokens.length; i++) {
        const rank = this.ranks.get(tokens[i]! * BASE + tokens[i + 1]!);
        if (rank !== undefined && rank < best) {
          best = rank;
          place = i;
        }
      }
      if (place < 0) return tokens;
      tokens.splice(place, 2, best);
    }
  }
}

/**
 * Learns a tokenizer of `vocabulary` tokens, marks included: at each step the most frequent pair of neighbouring tokens
 * inside words (equal ones: the smaller tokens) becomes a token. The same texts always give the same tokenizer.
 *
 * @param lowers whether a vocabulary larger than the texts allow becomes the largest that they allow
 * @throws UserError when the vocabulary is too small for bytes and marks, or larger than the texts allow
 */
export function learnTokenizer(
  texts: Iterable<string>,
  vocabulary: number,
  marks: readonly string[],
  lowers = false,
): Tokenizer {
  const least = BYTES + marks.length;
  if (vocabulary < least) {
    throw new UserError(
      `--vocabulary ${vocabulary} is too small: the ${BYTES} bytes and ${marks.length} ${marks.length === 1 ? "mark" : "marks"} alone are ${least}.`,
    );
  }
  const learner = new Learner(texts);
  const merges: [number, number][] = [];
  while (least + merges.length < vocabulary) {
    const pair = learner.mostFrequent();
    if (pair === undefined) {
      if (lowers) break;
      throw new UserError(
        `--vocabulary ${vocabulary} is more than the text allows: no two tokens stand side by side twice ` +
          `once ${least + merges.length} are learned. Choose at most that.`,
      );
    }
    merges.push(pair);
    learner.merge(pair, BYTES + merges.length - 1);
  }
  return new Tokenizer(merges, marks);
}

/** A vocabulary for the user: "812 tokens (as many as the text allows; 1,024 where it allows them)". */
export const tokensOfVocabulary = (vocabulary: number, wanted: number): string =>
  `${grouped(vocabulary)} tokens${vocabulary < wanted ? ` (as many as the text allows, in place of ${grouped(wanted)})` : ""}`;

/** The distinct words of a text as tokens, and how often each pair of neighbours occurs in them. */
class Learner {
  private readonly words: number[][] = [];
  private readonly frequencies: number[] = [];
  private readonly counts = new Map<number, number>();
  /** The words in which a pair occurs, or did before something was merged. */
  private readonly places = new Map<number, Set<number>>();

  constructor(texts: Iterable<string>) {
    const frequencies = new Map<string, number>();
    for (const text of texts) {
      for (const [word] of text.matchAll(WORDS)) frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
    }
    for (const [word, frequency] of frequencies) {
      const index = this.words.push([...Buffer.from(word)]) - 1;
      this.frequencies.push(frequency);
      this.count(index, 1);
    }
  }

  mostFrequent(): [number, number] | undefined {
    let best = 0;
    let most = 1;
    for (const [pair, count] of this.counts) {
      if (count > most || (count === most && count > 1 && pair < best)) {
        best = pair;
        most = count;
      }
    }
    return most < 2 ? undefined : [Math.floor(best / BASE), best % BASE];
  }

  merge([left, right]: readonly [number, number], merged: number): void {
    for (const index of this.places.get(left * BASE + right) ?? []) {
      this.count(index, -1);
      const word = this.words[index]!;
      const shorter: number[] = [];
      for (let i = 0; i < word.length; i++) {
        if (word[i] === left && word[i + 1] === right) {
          shorter.push(merged);
          i++;
        } else {
          shorter.push(word[i]!);
        }
      }
      this.words[index] = shorter;
      this.count(index, 1);
    }
    this.places.delete(left * BASE + right);
  }

  /** Adds a word's pairs to the counts, or takes them off. */
  private count(index: number, sign: 1 | -1): void {
    const word = this.words[index]!;
    const weight = sign * this.frequencies[index]!;
    for (let i = 0; i + 1 < word.length; i++) {
      const pair = word[i]! * BASE + word[i + 1]!;
      const count = (this.counts.get(pair) ?? 0) + weight;
      if (count === 0) this.counts.delete(pair);
      else this.counts.set(pair, count);
      if (sign < 0) continue;
      const places = this.places.get(pair);
      if (places === undefined) this.places.set(pair, new Set([index]));
      else places.add(index);
    }
  }
}
