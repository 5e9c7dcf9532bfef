// The lab as a library: the model and its Trainer, and what results.json holds. The command line is `swiglu-lab`.
export * from "./model/index.js";
export type { ResultsFile } from "./report/types.js";
export type {
  Analysis,
  Comparison,
  ExploratoryComparison,
  OutcomeAnalysis,
  PrimaryComparison,
  Verdict,
} from "./statistics/analysis.js";
