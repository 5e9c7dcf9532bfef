// A whole sweep: the runs of a configuration that are not done yet, trained side by side; models of all but the best deleted.
import type { Config } from "../config/config.js";
import { summarise } from "../statistics/summary.js";
import { keepOnlyModel, readRecords, runsOf } from "./folder.js";
import { type PoolEvents, runPool } from "./pool.js";
import { type RunRecord, runKey } from "./record.js";

/**
 * Trains what is missing in a sweep's folder and returns all records in it, also when it was aborted.
 *
 * @param folder opened by `openFolder` for this configuration
 * @param slots processes side by side
 */
export async function runSweep(
  config: Config,
  dataDirectory: string,
  folder: string,
  slots: number,
  events: PoolEvents,
  signal: AbortSignal,
): Promise<RunRecord[]> {
  const before = readRecords(folder, config);
  const done = new Set(before.map(({ variant, seed }) => runKey(variant, seed)));
  const jobs = runsOf(config)
    .filter(({ variant, seed }) => !done.has(runKey(variant, seed)))
    .map((run) => ({ ...run, config, dataDirectory, folder }));
  await runPool(jobs, slots, events, signal);
  const records = readRecords(folder, config);
  keepOnlyModel(folder, summarise(config, records).best);
  return records;
}
