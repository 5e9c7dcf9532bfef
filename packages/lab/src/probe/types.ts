// What a probe finds out: shapes from the formulas, and measurements of every run.
import type { Config } from "../config/types.js";
import type { Environment } from "../system/environment.js";
import type { Score } from "../tasks/common/score.js";
import type { Shape } from "./shape.js";
import type { Point } from "./watch.js";

export interface ProbeRun {
  readonly variant: string;
  readonly seed: number;
  /** Whether loss or gradient ceased to be finite: then the points end there. */
  readonly diverged: boolean;
  /** The score on the test part, at the end; null where the run diverged. */
  readonly test: Score | null;
  readonly points: readonly Point[];
}

/** Everything that a finished probe knows: what probe.json holds, and the tables and the page show. */
export interface ProbeResults {
  readonly config: Config;
  readonly environment: Environment;
  /** Images, sequences or pairs of the validation part that every measurement is over. */
  readonly examples: number;
  readonly shapes: readonly Shape[];
  readonly runs: readonly ProbeRun[];
}
