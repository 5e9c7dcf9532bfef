// What compare is asked to do: options, those of a preset among them, checked and turned into data, sweeps and a place to do them.
import { availableParallelism, loadavg } from "node:os";
import { makeConfig } from "../config/config.js";
import { complete, type TaskOptions } from "../config/defaults.js";
import {
  DEFAULT_LEARNING_RATE,
  describeRates,
  type LearningRates,
  parseGrid,
  parseLearningRates,
} from "../config/learning-rates.js";
import { type AnyPresetName, otherData, withPreset } from "../config/presets.js";
import { parseSeeds } from "../config/seeds.js";
import type { Config } from "../config/types.js";
import { allActivations, type OwnActivation, resolveVariants } from "../config/variants.js";
import type { Variant } from "../model/index.js";
import { redisName } from "../queue/address.js";
import { describeLoad } from "../statistics/load.js";
import { UserError } from "../system/errors.js";
import { type LoadedTask, loadTask } from "../tasks/load.js";
import { definitionOf, type TaskKind } from "../tasks/registry.js";
import { introduction } from "../terminal/introduction.js";
import type { Place } from "./train.js";
import type { Grid } from "./tune.js";

export interface CompareOptions extends TaskOptions {
  readonly preset?: AnyPresetName;
  readonly task: TaskKind;
  readonly threads: number;
  readonly variants: readonly string[];
  readonly activation: readonly OwnActivation[];
  readonly seeds: string;
  readonly learningRate?: string;
  readonly tune?: string;
  readonly tuneSeeds?: string;
  readonly data?: string;
  readonly out: string;
  readonly jobs?: number;
  readonly checkpointInterval: number;
  /** The address of a Redis whose workers do the runs. */
  readonly queue?: string;
  /** Passes over the training part: a study, with a full run at each. */
  readonly lengths?: string;
  /** Widths: a study of sizes. */
  readonly sizes?: string;
  /** The lengths whose learning rates are tuned. */
  readonly tuneLengths?: string;
  /** Only say what there is to do. */
  readonly plan?: boolean;
}

export interface Plan {
  readonly task: LoadedTask;
  readonly place: Place;
  /** What to tell the user before anything is trained. */
  readonly opening: string;
  /** The comparison at the learning rates that were given, or at tuned ones. */
  readonly configAt: (rates?: LearningRates) => Config;
  /** Undefined where nothing is to be tuned. */
  readonly grid: Grid | undefined;
  /** Whether all options are those of a preset. */
  readonly isFixed: boolean;
}

/** Options that are checked, with their data: what one comparison, and a study of several, are made of. */
export interface Prepared {
  readonly options: CompareOptions;
  readonly settings: Settings;
  readonly task: LoadedTask;
  readonly variants: readonly Variant[];
  readonly seeds: readonly number[];
  readonly learningRates: LearningRates;
  /** The rates and seeds to tune with, if that is wanted. */
  readonly tuning: Pick<Grid, "rates" | "seeds"> | undefined;
  readonly place: Place;
  /** On the preset, where one was named. */
  readonly remarks: readonly string[];
  /** Whether all options are those of a preset. */
  readonly isFixed: boolean;
}

type Settings = ReturnType<typeof complete>;

/** Where --tune-seeds begins to count. */
const FIRST_TUNE_SEED = 1001;

/**
 * Reads the options and the data.
 *
 * @param all the options, defaults included
 * @param given the names of those that the user gave
 * @param tuneSeeds how many where --tune is given without --tune-seeds
 * @throws UserError for what cannot be done; nothing is printed or written before
 */
export async function prepare(
  all: CompareOptions,
  given: readonly (keyof CompareOptions)[],
  tuneSeeds = "2",
): Promise<Prepared> {
  const { preset } = all;
  const { options, differences } =
    preset === undefined ? { options: all, differences: [] } : withPreset(preset, all, given);
  const { threads, jobs, out, checkpointInterval, queue } = options;
  const seeds = parseSeeds(options.seeds);
  const variants = chooseVariants(options);
  const tuning = chooseGrid(options, seeds, tuneSeeds);
  const learningRates = parseLearningRates(options.learningRate ?? `${DEFAULT_LEARNING_RATE}`);
  if (queue !== undefined) redisName(queue); // before anything is read or written
  const settings = complete(options.task, options);
  // A vocabulary that nobody asked for may be smaller.
  const task = await loadTask(settings, options.data, options.vocabulary === undefined);
  const slots = jobs ?? Math.max(1, Math.floor(availableParallelism() / threads));
  const place = { out, dataPath: task.path, slots, checkpointInterval, queue };
  const departures =
    preset === undefined ? [] : [...differences, ...otherData(preset, task.config.data.sha256)];
  const remarks = [
    ...(preset === undefined ? [] : [presetRemark(preset, departures)]),
    ...(queue === undefined ? describeLoad(loadavg()[0] ?? 0, availableParallelism()) : []),
  ];
  const isFixed = preset !== undefined && departures.length === 0;
  return { options, settings, task, variants, seeds, learningRates, tuning, place, remarks, isFixed };
}

/** The comparison that some options make, at these steps and width where they are another's. */
export function planOf(
  prepared: Prepared,
  other: { readonly steps?: number; readonly width?: number } = {},
): Plan {
  const { options, task, variants, seeds, learningRates, tuning, place, remarks, isFixed } = prepared;
  const common = { ...prepared.settings, ...other, variants, threads: options.threads };
  const configAt = (rates = learningRates): Config =>
    makeConfig({ ...common, seeds, learningRates: rates }, task.config);
  const grid = tuning && {
    ...tuning,
    configAt: (rate: number): Config =>
      makeConfig(
        { ...common, seeds: tuning.seeds, learningRates: { rate, of: {} } },
        definitionOf(task.config).lossesOnly(task.config),
      ),
  };
  const config = configAt();
  const rates =
    grid === undefined ? `learning rate ${describeRates(config.variants)}` : "learning rates tuned";
  const all = grid === undefined ? remarks : [...remarks, tuningRemark(grid)];
  return {
    task,
    place,
    opening: introduction(config, task.introduction, rates, all),
    configAt,
    grid,
    isFixed,
  };
}

/** The variants that are named, and the user's own activations where they are not among them. */
function chooseVariants({ variants, activation }: CompareOptions): Variant[] {
  const activations = allActivations(activation);
  const own = [...activations.keys()].slice(activations.size - activation.length);
  const isNamed = (name: string): boolean => variants.includes(name) || variants.includes(`${name}-trained`);
  return resolveVariants([...variants, ...own.filter((name) => !isNamed(name))], activations);
}

/** The rates and seeds to tune with, if that is wanted. */
function chooseGrid(
  { tune, tuneSeeds, learningRate }: CompareOptions,
  seeds: readonly number[],
  count: string,
): Pick<Grid, "rates" | "seeds"> | undefined {
  if (tune === undefined) {
    if (tuneSeeds === undefined) return undefined;
    throw new UserError(
      "--tune-seeds is for --tune: give it a grid of rates, as in --tune 0.002,0.004,0.008",
    );
  }
  if (learningRate !== undefined) {
    throw new UserError("--learning-rate and --tune are both given: give the rates, or have them tuned.");
  }
  const rates = parseGrid(tune);
  const own = parseSeeds(tuneSeeds ?? count, "--tune-seeds", FIRST_TUNE_SEED);
  const shared = own.find((seed) => seeds.includes(seed));
  if (shared !== undefined) {
    throw new UserError(
      `--tune-seeds has ${shared}, as --seeds has: runs that chose the learning rates must not be those that are compared.`,
    );
  }
  return { rates, seeds: own };
}

function presetRemark(name: AnyPresetName, differences: readonly string[]): string {
  const as = differences.length === 0 ? "as it stands" : `but for ${differences.join(", ")}`;
  return `Preset ${name}, ${as}.`;
}

const tuningRemark = ({ rates, seeds }: Pick<Grid, "rates" | "seeds">): string =>
  `Before that every variant is trained at the learning rates ${rates.join(", ")} under the seeds ${seeds.join(", ")}, ` +
  "and compared at that with its lowest mean validation loss.";
