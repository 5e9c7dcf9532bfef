// What a preset consists of: options, and the data that they are for.

import type { TaskKind } from "../tasks/registry.js";
import type { TaskOptions } from "./defaults.js";
import type { OwnActivation } from "./variants.js";

/** All options that decide results. */
export interface PresetOptions extends TaskOptions {
  readonly task: TaskKind;
  readonly variants: readonly string[];
  readonly activation: readonly OwnActivation[];
  readonly seeds: string;
  readonly tune: string;
  readonly tuneSeeds: string;
  readonly threads: number;
}

/** The options of a study: lengths in place of steps, and sizes. */
export interface StudyPresetOptions extends Omit<PresetOptions, "steps"> {
  readonly lengths: string;
  readonly tuneLengths: string;
  readonly sizes?: string;
}

export interface PresetData {
  readonly name: string;
  readonly sha256: string;
  /** How to get data that does not come with the lab. */
  readonly source?: string;
}
