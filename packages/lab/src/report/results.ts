// What a finished sweep leaves in its folder beside the records: best.onnx, results.json, report.html.
import type { Config } from "../config/types.js";
import type { RunRecord } from "../records/record.js";
import type { Analysis } from "../statistics/analysis.js";
import type { Matched } from "../statistics/matched.js";
import type { Summary } from "../statistics/summary.js";
import type { Tuning } from "../statistics/tuning.js";
import type { Findings } from "../statistics/words.js";
import { type BestModel, saveBestModel } from "../sweep/best-model.js";
import { prettyJson, writeResult } from "../sweep/folder.js";
import { environment } from "../system/environment.js";
import type { Task } from "../tasks/common/task.js";
import { reportPage } from "./page.js";
import type { Results, ResultsFile } from "./types.js";

/** Writes all three and returns the best model (null when no run finished) and the report's path. */
export async function writeResults(
  folder: string,
  {
    config,
    task,
    tuning,
    records,
    summary,
    findings,
    analysis,
    matched,
    isFixed,
  }: {
    config: Config;
    task: Task;
    tuning: Tuning | undefined;
    records: readonly RunRecord[];
    summary: Summary;
    findings: Findings;
    analysis: Analysis | null;
    matched: Matched | undefined;
    isFixed: boolean;
  },
): Promise<{ best: BestModel | null; report: string }> {
  const best = summary.best === null ? null : await saveBestModel(folder, summary.best, task);
  const results: Results = {
    config,
    tuning,
    summary,
    findings,
    analysis,
    matched,
    best,
    isFixed,
    environment: environment(),
    records,
  };
  await writeResult(folder, "results.json", prettyJson(fileOf(results)));
  return { best, report: await writeResult(folder, "report.html", reportPage(results)) };
}

/** What results.json holds of the results. */
function fileOf({ summary: { best: _, ranking, ...summary }, records, ...rest }: Results): ResultsFile {
  const seeds = (runs: readonly RunRecord[]): number[] => runs.map(({ seed }) => seed);
  return {
    ...rest,
    summary: {
      ...summary,
      ranking: ranking.map((variant) => ({
        ...variant,
        finished: seeds(variant.finished),
        diverged: seeds(variant.diverged),
      })),
    },
    records: records.map((record) => {
      if (record.status === "diverged") return record;
      const { testLosses: _, validationLosses: __, ...others } = record;
      return others;
    }),
  };
}
