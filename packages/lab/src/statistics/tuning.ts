// Which learning rate is best for which variant: from sweeps that differ in the rate alone, by the loss on validation data.
import type { RunRecord } from "../records/record.js";
import { list } from "../words/format.js";

/** The most rates that a grid is extended by. */
export const MOST_EXTENSIONS = 4;

/** What became of all variants at one rate. */
export interface Round {
  readonly rate: number;
  readonly records: readonly RunRecord[];
}

export interface Tuning {
  readonly seeds: readonly number[];
  /** In rising order, extensions among them. */
  readonly rates: readonly number[];
  /** The rates by which the grid was extended because some variant was best at its edge. */
  readonly extensions: readonly number[];
  readonly variants: readonly TunedVariant[];
}

interface TunedVariant {
  readonly name: string;
  /** The mean validation loss at each of the rates; null where a run diverged. */
  readonly losses: readonly (number | null)[];
  /** The rate with the lowest of them. */
  readonly best: number;
  /** Whether that is the lowest or the highest rate: then a better one may lie beyond. */
  readonly isAtEdge: boolean;
}

/**
 * Judges rounds of tuning.
 *
 * @param grid the rates that were asked for; those of other rounds are extensions
 */
export function tuningOf(
  rounds: readonly Round[],
  grid: readonly number[],
  names: readonly string[],
  seeds: readonly number[],
): Tuning {
  const ordered = rounds.toSorted((a, b) => a.rate - b.rate);
  const rates = ordered.map(({ rate }) => rate);
  const variants = names.map((name): TunedVariant => {
    const losses = ordered.map(({ records }) => meanLoss(records.filter(({ variant }) => variant === name)));
    const lowest = Math.min(...losses);
    const index = losses.indexOf(lowest); // the lower of equal rates; the lowest where all diverged
    return {
      name,
      losses: losses.map((loss) => (Number.isFinite(loss) ? loss : null)),
      best: rates[index]!,
      isAtEdge: index === 0 || index === rates.length - 1,
    };
  });
  return { seeds, rates, extensions: rates.filter((rate) => !grid.includes(rate)), variants };
}

/** Infinite where one of the runs diverged. */
function meanLoss(records: readonly RunRecord[]): number {
  const losses = records.map((record) =>
    record.status === "finished" ? record.validation.loss : Number.POSITIVE_INFINITY,
  );
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/**
 * The rates to try next: beyond each edge at which some variant is best, one step of the grid's ratio there; none when all
 * are best inside, or the grid has been extended often enough.
 */
export function extensionOf({ rates, extensions, variants }: Tuning): number[] {
  const isBest = (rate: number | undefined): boolean => variants.some(({ best }) => best === rate);
  const beyond = (edge: number, inner: number): number => Number((edge ** 2 / inner).toPrecision(6));
  const added: number[] = [];
  if (isBest(rates[0])) added.push(beyond(rates[0]!, rates[1]!));
  if (isBest(rates.at(-1))) added.push(beyond(rates.at(-1)!, rates.at(-2)!));
  return added.slice(0, MOST_EXTENSIONS - extensions.length);
}

/** How the rates were chosen, in sentences. */
export function describeTuning({ seeds, extensions, variants }: Tuning): string[] {
  const edge = variants.filter(({ isAtEdge }) => isAtEdge).map(({ name }) => name);
  const sentences = [
    `Every variant was tried at every rate under the seeds ${list(seeds.map(String))}, which serve for nothing else, and is compared at that with its lowest mean validation loss.`,
  ];
  if (extensions.length > 0)
    sentences.push(
      `The grid was extended by ${list(extensions.map(String))}, because some variant was best at its edge.`,
    );
  if (edge.length > 0)
    sentences.push(`Still best at an edge, so that a better rate may lie beyond: ${list(edge)}.`);
  return sentences;
}
