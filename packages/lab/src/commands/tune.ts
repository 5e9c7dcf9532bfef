// compare --tune: a sweep for each learning rate, all variants under the tuning seeds; the validation data choose.
import type { LearningRates } from "../config/learning-rates.js";
import type { Config } from "../config/types.js";
import { extensionOf, MOST_EXTENSIONS, type Round, type Tuning, tuningOf } from "../statistics/tuning.js";
import { UserError } from "../system/errors.js";
import { heading } from "../terminal/style.js";
import { count } from "../words/format.js";
import type { Trained } from "./train.js";

export interface Grid {
  readonly rates: readonly number[];
  readonly seeds: readonly number[];
  /** The sweep of a round: all variants at one rate, under these seeds. */
  readonly configAt: (rate: number) => Config;
}

/**
 * Trains every variant at every rate, and at rates beyond while some variant is best at the grid's edge.
 *
 * @param opening what is told before the first round
 * @param train has the runs of a sweep done, after a text; undefined when interrupted
 * @returns undefined when interrupted
 * @throws UserError when runs failed, and when a variant diverged at every rate
 */
export async function tuneRounds(
  { rates, seeds, configAt }: Grid,
  opening: string,
  train: (config: Config, text: string) => Promise<Trained | undefined>,
): Promise<Round[] | undefined> {
  const rounds: Round[] = [];
  const names = configAt(rates[0]!).variants.map(({ name }) => name);
  let left: readonly number[] = rates;
  for (;;) {
    for (const rate of left) {
      const beyond = rounds.length - rates.length + 1;
      const round =
        beyond > 0
          ? `beyond the grid, as some variant is best at its edge, ${beyond} of at most ${MOST_EXTENSIONS}`
          : `round ${rounds.length + 1} of ${rates.length}`;
      const before = rounds.length === 0 ? `${opening}\n` : "\n";
      const trained = await train(
        configAt(rate),
        before + heading(`Tuning, ${round}: learning rate ${rate}`),
      );
      if (trained === undefined) return undefined;
      refuseMissing(names.length * seeds.length - trained.records.length, trained.folder);
      rounds.push({ rate, records: trained.records });
    }
    const tuning = tuningOf(rounds, rates, names, seeds);
    left = extensionOf(tuning);
    if (left.length === 0) {
      refuseDiverged(tuning);
      return rounds;
    }
  }
}

/** The same, judged: the rate of the lowest mean validation loss for each variant. */
export async function tune(
  grid: Grid,
  opening: string,
  train: (config: Config, text: string) => Promise<Trained | undefined>,
): Promise<Tuning | undefined> {
  const rounds = await tuneRounds(grid, opening, train);
  const names = grid.configAt(grid.rates[0]!).variants.map(({ name }) => name);
  return rounds && tuningOf(rounds, grid.rates, names, grid.seeds);
}

/** The best rate of every variant. */
export const tunedRates = ({ rates, variants }: Tuning): LearningRates => ({
  rate: rates[0]!,
  of: Object.fromEntries(variants.map(({ name, best }) => [name, best])),
});

function refuseMissing(missing: number, folder: string): void {
  if (missing === 0) return;
  throw new UserError(
    `${count(missing, "run")} of the tuning did not end, so that no learning rate can be chosen: start again with the same ` +
      `options to do the rest (what is there is kept in ${folder}).`,
  );
}

function refuseDiverged({ rates, variants }: Tuning): void {
  const hopeless = variants.find(({ losses }) => losses.every((loss) => loss === null));
  if (hopeless === undefined) return;
  throw new UserError(
    `${hopeless.name} diverged at every learning rate that was tried, ${rates.join(", ")}: give --tune lower ones, or leave ` +
      `${hopeless.name} out.`,
  );
}
