// Everything that decides a sweep's results, as plain data. Its hash names the folder: the same options find the same
// folder and go on there, other options get another one.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { activationToJson } from "swiglu";
import type { Variant } from "../model/index.js";
import { UserError } from "../system/errors.js";
import type { TaskConfig } from "../tasks/registry.js";
import { type LearningRates, ratesOf } from "./learning-rates.js";
import { matchAll } from "./matching.js";
import { checkConfig } from "./schema.js";
import type { Config, Hyperparameters } from "./types.js";

/** What the user chooses, beside the task. */
export interface Settings extends Hyperparameters {
  readonly variants: readonly Variant[];
  readonly seeds: readonly number[];
  readonly learningRates: LearningRates;
}

const WEIGHT_DECAY = 0.05;
const CLIP_NORM = 1;

/**
 * Checks the settings, matches the parameters, and returns the sweep's configuration.
 *
 * @param task the part of the configuration that the task has made of its data
 * @throws UserError for heads that do not divide the width, and a width at which some variant cannot be matched, and a learning
 *   rate of a variant that is none of these, and sizes beyond all bounds
 */
export function makeConfig(settings: Settings, task: TaskConfig): Config {
  const { variants, seeds, steps, batch, width, depth, heads, learningRates, threads } = settings;
  if (width % heads !== 0)
    throw new UserError(`--width ${width} is not a multiple of --heads ${heads}: choose one that is.`);
  const matches = matchAll(variants, width, heads);
  const rates = ratesOf(
    learningRates,
    variants.map(({ name }) => name),
  );
  const config: Config = {
    version: labVersion(),
    ...task,
    variants: variants.map((variant, i) => ({
      name: variant.name,
      trained: variant.trained,
      activation: activationToJson(variant.activation),
      hidden: matches[i]!.hidden,
      feedForwardParameters: matches[i]!.parameters,
      learningRate: rates[i]!,
    })),
    seeds,
    steps,
    batch,
    width,
    depth,
    heads,
    weightDecay: WEIGHT_DECAY,
    clipNorm: CLIP_NORM,
    threads,
  };
  const checked = checkConfig(config);
  if ("problem" in checked) throw new UserError(`these options cannot be trained: ${checked.problem}.`);
  return config;
}

/** The folder name of a configuration: what it is, for people, and a hash of all of it. */
export function folderName(config: Config): string {
  const hash = createHash("sha256").update(canonicalJson(config)).digest("hex").slice(0, 10);
  const data = config.data.name.toLowerCase().replace(/[^a-z0-9]+/g, "-") || "data";
  return `${data}-${config.variants.length}x${config.seeds.length}-${config.steps}steps-${hash}`;
}

/** JSON with the keys of every object sorted, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** The version of the lab that runs here. */
export function labVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
