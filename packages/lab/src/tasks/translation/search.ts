// Finding a translation: beam search over what the model gives a chance; a beam of one is greedy.
import { setImmediate as yieldToEvents } from "node:timers/promises";
import type { Decoder } from "../../model/index.js";

/** A translation under way: its tokens after the prompt, and the sum of their log-probabilities. */
interface Hypothesis {
  readonly tokens: readonly number[];
  readonly score: number;
}

/** One prompt in the search. */
class Search {
  live: Hypothesis[] = [{ tokens: [], score: 0 }];
  private readonly finished: Hypothesis[] = [];

  constructor(
    readonly prompt: readonly number[],
    private readonly end: number,
    private readonly beam: number,
  ) {}

  /** Nothing better can be found, or only by chance: as many translations have ended as the beam is wide. */
  get isOver(): boolean {
    return this.live.length === 0 || this.finished.length >= this.beam;
  }

  /** The best hypothesis by its mean score per token; sums would favour short ones. */
  get best(): readonly number[] {
    const all = this.finished.length > 0 ? this.finished : this.live;
    const quality = ({ tokens, score }: Hypothesis): number => score / Math.max(1, tokens.length);
    return all.reduce((a, b) => (quality(b) > quality(a) ? b : a)).tokens;
  }

  /**
   * Goes on by a token.
   *
   * @param scoresOf log-probabilities of the token after each live hypothesis
   * @returns for each live hypothesis now, the number of the one that it continues
   */
  advance(scoresOf: (hypothesis: number) => Float32Array): number[] {
    const candidates = this.live.flatMap(({ score }, parent) =>
      largest(scoresOf(parent), 2 * this.beam).map(({ token, value }) => ({
        parent,
        token,
        score: score + value,
      })),
    );
    candidates.sort((a, b) => b.score - a.score || a.parent - b.parent || a.token - b.token);
    const parents: number[] = [];
    const next: Hypothesis[] = [];
    for (const [rank, { parent, token, score }] of candidates.entries()) {
      const tokens = [...this.live[parent]!.tokens, token];
      if (token !== this.end) {
        next.push({ tokens, score });
        parents.push(parent);
      } else if (rank < this.beam) {
        this.finished.push({ tokens, score });
      }
      if (next.length === this.beam || this.isOver) break;
    }
    this.live = next;
    return parents;
  }
}

/**
 * Continues prompts until the end token, or until the context is full. Those of a like length are searched together, since
 * all wait for the longest.
 *
 * @param decoder its rows are divided among prompts: as many for each as the beam is wide
 * @param parameters of the model, as in `Trainer.state`
 * @returns the tokens after each prompt, the end token left out
 */
export async function continueAll(
  decoder: Decoder,
  parameters: Float32Array,
  prompts: readonly (readonly number[])[],
  { end, beam }: { end: number; beam: number },
): Promise<number[][]> {
  const together = Math.floor(decoder.rows / beam);
  const searches = prompts.map((prompt) => new Search(prompt, end, beam));
  const byLength = searches.toSorted((a, b) => a.prompt.length - b.prompt.length);
  for (let start = 0; start < searches.length; start += together)
    await search(decoder, parameters, byLength.slice(start, start + together), beam);
  return searches.map(({ best }) => best.filter((token) => token !== end));
}

async function search(
  decoder: Decoder,
  parameters: Float32Array,
  searches: readonly Search[],
  beam: number,
): Promise<void> {
  const { rows, shape } = decoder;
  const tokens = new Int32Array(rows);
  let parents = Int32Array.from({ length: rows }, (_, row) => row);
  decoder.restart();
  while (decoder.place < shape.context && searches.some(({ isOver }) => !isOver)) {
    const place = decoder.place;
    searches.forEach(({ prompt, live }, s) => {
      for (let b = 0; b < beam; b++) {
        tokens[s * beam + b] = prompt[place] ?? live[b]?.tokens.at(-1) ?? 0;
      }
    });
    const scores = await decoder.next(parameters, tokens, parents);
    parents = Int32Array.from({ length: rows }, (_, row) => row);
    searches.forEach((each, s) => {
      if (place + 1 < each.prompt.length || each.isOver) return;
      const rowsOf = (b: number): Float32Array =>
        scores.subarray((s * beam + b) * shape.vocabulary, (s * beam + b + 1) * shape.vocabulary);
      each.advance(rowsOf).forEach((parent, b) => {
        parents[s * beam + b] = s * beam + parent;
      });
    });
    await yieldToEvents();
  }
}

/** The `count` largest scores, largest first; of equal ones the smaller token. */
function largest(scores: Float32Array, count: number): { token: number; value: number }[] {
  const best: { token: number; value: number }[] = [];
  for (let token = 0; token < scores.length; token++) {
    const value = scores[token]!;
    if (best.length === count && value <= best[count - 1]!.value) continue;
    let at = best.length;
    while (at > 0 && best[at - 1]!.value < value) at--;
    best.splice(at, 0, { token, value });
    if (best.length > count) best.pop();
  }
  return best;
}
