// What a report is made of: everything that is known about a finished sweep.
import type { Config } from "../config/config.js";
import type { Summary } from "../statistics/summary.js";
import type { Findings } from "../statistics/words.js";
import type { BestModel } from "../sweep/bestModel.js";
import type { RunRecord } from "../sweep/record.js";
import type { Tuning } from "../sweep/tuning.js";

export interface Environment {
  readonly node: string;
  readonly platform: string;
  readonly processor: string;
  readonly cores: number;
}

/** Everything that is known about a finished sweep: what results.json holds and the report shows. */
export interface Results {
  readonly config: Config;
  /** How the learning rates were chosen; undefined where they were given. */
  readonly tuning: Tuning | undefined;
  readonly summary: Summary;
  readonly findings: Findings;
  readonly best: BestModel | null;
  readonly environment: Environment;
  readonly records: readonly RunRecord[];
}
