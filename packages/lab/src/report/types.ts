// What a report is made of: everything that is known about a finished sweep.
import type { Config } from "../config/types.js";
import type { DivergedRun, FinishedRun, RunRecord } from "../records/record.js";
import type { Analysis } from "../statistics/analysis.js";
import type { Matched } from "../statistics/matched.js";
import type { Summary, VariantSummary } from "../statistics/summary.js";
import type { Tuning } from "../statistics/tuning.js";
import type { Findings } from "../statistics/words.js";
import type { BestModel } from "../sweep/best-model.js";
import type { Environment } from "../system/environment.js";

/** Everything that is known about a finished sweep. */
export interface Results {
  readonly config: Config;
  /** How the learning rates were chosen; undefined where they were given. */
  readonly tuning: Tuning | undefined;
  readonly summary: Summary;
  readonly findings: Findings;
  /** null where too little finished. */
  readonly analysis: Analysis | null;
  /** The variants at equal cost; undefined where fewer than two variants finished. */
  readonly matched: Matched | undefined;
  readonly best: BestModel | null;
  /** Whether questions, rule and options were fixed before the runs: those of a preset, as it stands. */
  readonly isFixed: boolean;
  readonly environment: Environment;
  readonly records: readonly RunRecord[];
}

/** What results.json holds: the results, with each run once, and without the losses of the single test examples. */
export interface ResultsFile extends Omit<Results, "summary" | "records"> {
  readonly summary: Omit<Summary, "ranking" | "best"> & { readonly ranking: readonly RankedVariant[] };
  readonly records: readonly (Omit<FinishedRun, "testLosses" | "validationLosses"> | DivergedRun)[];
}

/** A variant's summary, with seeds for its runs. */
type RankedVariant = Omit<VariantSummary, "finished" | "diverged"> & {
  readonly finished: readonly number[];
  readonly diverged: readonly number[];
};
