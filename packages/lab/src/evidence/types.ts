// What the repository keeps of a finished sweep, as docs/evidence/<preset>.json: enough to write docs/evidence.md, and for
// others to analyse the scores their own way.
import type { PresetName } from "../config/presets.js";
import type { Config } from "../config/types.js";
import type { RunRecord } from "../records/record.js";
import type { Analysis } from "../statistics/analysis.js";
import type { Tuning } from "../statistics/tuning.js";
import type { Environment } from "../system/environment.js";

/** What runs took. */
export interface Cost {
  readonly runs: number;
  /** Processor time of training alone. */
  readonly cpuSeconds: number;
  /** Seconds of whole runs on the clock, one after the other. */
  readonly seconds: number;
}

export interface Evidence {
  readonly preset: PresetName;
  /** How the sweep differs from its preset: "--seeds 7 (10)". */
  readonly differences: readonly string[];
  readonly config: Config;
  readonly tuning: Tuning | null;
  readonly analysis: Analysis;
  readonly environment: Environment;
  readonly cost: { readonly compared: Cost; readonly tuned: Cost | null };
  /** Without the losses of single test examples (what they tell is in `analysis`), and with the translations of a few runs only. */
  readonly records: readonly RunRecord[];
}
