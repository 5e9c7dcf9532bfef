// What a finished sweep leaves in its folder beside the records: best.onnx, results.json, report.html.
import { cpus } from "node:os";
import type { Config } from "../config/config.js";
import type { Summary } from "../statistics/summary.js";
import type { Findings } from "../statistics/words.js";
import { type BestModel, saveBestModel } from "../sweep/bestModel.js";
import { prettyJson, writeResult } from "../sweep/folder.js";
import type { RunRecord } from "../sweep/record.js";
import type { Tuning } from "../sweep/tuning.js";
import type { Task } from "../tasks/task.js";
import { reportPage } from "./page.js";
import type { Environment, Results } from "./types.js";

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
  }: {
    config: Config;
    task: Task;
    tuning: Tuning | undefined;
    records: readonly RunRecord[];
    summary: Summary;
    findings: Findings;
  },
): Promise<{ best: BestModel | null; report: string }> {
  const best = summary.best === null ? null : await saveBestModel(folder, summary.best, task);
  const results: Results = { config, tuning, summary, findings, best, environment: environment(), records };
  await writeResult(folder, "results.json", prettyJson({ ...results, summary: withSeedsForRuns(summary) }));
  return { best, report: await writeResult(folder, "report.html", reportPage(results)) };
}

/** The summary with the seeds of the runs in place of the runs, which results.json has once, as records. */
function withSeedsForRuns({ ranking, best: _, ...rest }: Summary) {
  const seeds = (runs: readonly RunRecord[]): number[] => runs.map(({ seed }) => seed);
  return {
    ...rest,
    ranking: ranking.map((variant) => ({
      ...variant,
      finished: seeds(variant.finished),
      diverged: seeds(variant.diverged),
    })),
  };
}

export function environment(): Environment {
  const processors = cpus();
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
  };
}
