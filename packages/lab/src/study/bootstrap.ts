// The bootstrap of a study: counted seeds, groups of test examples and tuning seeds are drawn again, and with them the learning rates.
import { stream } from "../data/random.js";
import { chooseRates, lossAtRate, type RateChoice, type TuningLosses } from "../statistics/rate-choice.js";

export type PartName = "validation" | "test";

/** What a length's runs measured; `runs[variant][seed]` are the summed losses of each group of examples. */
export interface MeasuredLength {
  readonly steps: number;
  readonly seeds: readonly number[];
  readonly runs: Readonly<Record<PartName, readonly (readonly Float64Array[])[]>>;
  /** Index into the tunings; undefined where rates were given. */
  readonly tuning: number | undefined;
}

interface Tuned {
  readonly seeds: readonly number[];
  readonly rates: readonly number[];
  /** The tuning losses of each variant. */
  readonly losses: readonly TuningLosses[];
}

export interface Measured {
  readonly weights: Readonly<Record<PartName, readonly number[]>>;
  readonly lengths: readonly MeasuredLength[];
  readonly tunings: readonly Tuned[];
}

/** Mean losses: of a part, a length, a variant. */
export type Means = Readonly<Record<PartName, readonly (readonly number[])[]>>;

export const RESAMPLES = 2000;

/** Counts of what is drawn, one for each thing. */
type Counts = Float64Array;

/** The means of the sample itself: everything once. */
export function sampleMeans({ weights, lengths }: Measured): Means {
  const of = (part: PartName): number[][] =>
    lengths.map(({ runs, seeds }) => {
      const ones = new Float64Array(seeds.length).fill(1);
      const all = new Float64Array(weights[part].length).fill(1);
      return runs[part].map((own) => weightedMean(own, ones, all, weights[part]));
    });
  return { validation: of("validation"), test: of("test") };
}

/**
 * The means of every resample.
 *
 * @param seed of the drawing: the same one gives the same resamples
 */
export function* resampledMeans(
  { weights, lengths, tunings }: Measured,
  { resamples = RESAMPLES, seed = 1 } = {},
): Generator<Means> {
  const random = stream(seed, "study bootstrap");
  const draw = (count: number): Counts => {
    const counts = new Float64Array(count);
    for (let k = 0; k < count; k++) counts[Math.floor((random.next() >>> 0) * 2 ** -32 * count)]!++;
    return counts;
  };
  const choices = tunings.map(({ rates, losses }) => chooseRates(rates, losses));
  for (let i = 0; i < resamples; i++) {
    // What has the same seeds shares the draw.
    const drawn = new Map<string, Counts>();
    const drawSeeds = (seeds: readonly number[]): Counts => {
      const key = seeds.join();
      const counts = drawn.get(key) ?? draw(seeds.length);
      drawn.set(key, counts);
      return counts;
    };
    const costs = tunings.map((tuned, t) => costsOf(tuned, choices[t]!, drawSeeds(tuned.seeds)));
    const seeds = lengths.map((length) => drawSeeds(length.seeds));
    const of = (part: PartName): number[][] => {
      const groups = draw(weights[part].length);
      return lengths.map(({ runs, tuning }, l) =>
        runs[part].map(
          (own, v) =>
            weightedMean(own, seeds[l]!, groups, weights[part]) +
            (tuning === undefined ? 0 : costs[tuning]![v]!),
        ),
      );
    };
    yield { validation: of("validation"), test: of("test") };
  }
}

/** What each variant's loss rises by with the rates that other tuning seeds would have given. */
function costsOf({ rates, losses }: Tuned, { rates: used, parabolas }: RateChoice, counts: Counts): number[] {
  const again = losses.map((rows) =>
    rows.map((row) => row.flatMap((loss, s) => new Array<number>(counts[s]!).fill(loss))),
  );
  const other = chooseRates(rates, again).rates;
  return losses.map((rows, v) => {
    if (other[v] === used[v]) return 0;
    const at = (rate: number): number => lossAtRate(rates, rows, parabolas[v]!, rate);
    const cost = at(other[v]!) - at(used[v]!);
    return Number.isFinite(cost) ? cost : 0;
  });
}

function weightedMean(
  runs: readonly Float64Array[],
  seeds: Counts,
  groups: Counts,
  weights: readonly number[],
): number {
  let [sum, seedCount, weight] = [0, 0, 0];
  for (let g = 0; g < groups.length; g++) weight += groups[g]! * weights[g]!;
  runs.forEach((run, s) => {
    const times = seeds[s]!;
    if (times === 0) return;
    seedCount += times;
    let own = 0;
    for (let g = 0; g < groups.length; g++) own += groups[g]! * run[g]!;
    sum += times * own;
  });
  return sum / (seedCount * weight);
}
