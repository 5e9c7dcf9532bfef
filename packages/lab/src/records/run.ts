// One run of a sweep: a variant under a seed. What decides its result is a configuration of its own, and the hash of
// that is the run's identity wherever it is trained: here, in a checkpoint, or on another machine.
import { createHash } from "node:crypto";
import { canonicalJson } from "../config/config.js";
import type { Config } from "../config/types.js";

export interface Run {
  readonly variant: string;
  readonly seed: number;
}

/** The configuration with this run alone: nothing of the sweep around it matters to the run. */
export function configOfRun(config: Config, { variant, seed }: Run): Config {
  const own = config.variants.filter(({ name }) => name === variant);
  if (own.length !== 1) throw new Error(`the configuration has no variant ${variant}`);
  return { ...config, variants: own, seeds: [seed] };
}

/** The identity of a run: 32 hexadecimal digits of everything that decides its result. */
export function runHash(config: Config, run: Run): string {
  const text = canonicalJson(configOfRun(config, run));
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
