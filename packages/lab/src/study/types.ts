// What a study leaves, as study.json: everything that its figures are computed from, and nothing that can be computed. The same file
// is published as docs/evidence/<preset>.json.
import type { Config } from "../config/types.js";
import type { CurvePoint } from "../records/record.js";
import type { Score } from "../tasks/common/score.js";
import type { LeftOut } from "../tasks/common/task.js";
import type { TaskConfig } from "../tasks/registry.js";

/** Full runs of one length at one width, all variants and seeds. */
export interface CellRecord {
  readonly width: number;
  /** Passes over the training part, at the first width; at another one as many tokens per parameter. */
  readonly length: number;
  readonly steps: number;
  /** Parameters of the model with the first variant. */
  readonly parameters: number;
  /** The variants' hidden widths and rates, and all else that decides the runs. */
  readonly config: Config;
  /** The length whose tuning gave the rates; null where they were given. */
  readonly tunedAt: number | null;
  readonly runs: readonly StudyRun[];
}

export interface StudyRun {
  readonly variant: string;
  readonly seed: number;
  /** null where the run diverged. */
  readonly validation: Score | null;
  readonly test: Score | null;
  /** Summed losses of each group of examples, in nats: base64 of float32, little-endian; "" where the run diverged. */
  readonly validationGroups: string;
  readonly testGroups: string;
  readonly validationCurve: readonly CurvePoint[];
  readonly learned: Readonly<Record<string, readonly number[]>>;
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly machine?: string;
}

/** Tuning at one length and width. */
export interface TuningRecord {
  readonly width: number;
  readonly length: number;
  readonly steps: number;
  readonly seeds: readonly number[];
  /** In rising order, extensions among them. */
  readonly rates: readonly number[];
  readonly extensions: readonly number[];
  readonly variants: readonly {
    readonly name: string;
    /** The validation loss at each rate, under each seed; null where the run diverged. */
    readonly losses: readonly (readonly (number | null)[])[];
  }[];
  readonly cpuSeconds: number;
}

export interface StudyRecord {
  readonly edition: 2;
  /** undefined for a study of the user's own. */
  readonly preset?: string;
  /** "Preset length-language, as it stands." */
  readonly remarks: readonly string[];
  readonly task: TaskConfig;
  /** The data in sentences. */
  readonly introduction: string;
  readonly widths: readonly number[];
  readonly lengths: readonly number[];
  readonly variants: readonly string[];
  readonly seeds: readonly number[];
  /** What each group of examples weighs: tokens, or images. */
  readonly weights: { readonly validation: readonly number[]; readonly test: readonly number[] };
  readonly leftOut: LeftOut;
  readonly tuning: readonly TuningRecord[];
  /** Finished cells. */
  readonly cells: readonly CellRecord[];
  readonly environment: string;
}
