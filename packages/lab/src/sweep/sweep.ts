// A whole sweep on this machine: the runs of a configuration that are not done yet, trained side by side, and shared with
// other sweeps in the same folder; models of all but the best deleted.
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../config/types.js";
import type { SweepEvents } from "../records/events.js";
import type { FinishedRun, RunRecord } from "../records/record.js";
import { readRecords, removeTemporaries, tidy } from "./folder.js";
import type { Job } from "./job.js";
import { OpenRuns } from "./open-runs.js";
import { runPool } from "./pool.js";

/** Milliseconds between two looks at what other sweeps in the folder have done. */
const LOOK_INTERVAL = 500;

export interface SweepOptions {
  /** Where the data lies; undefined for the data that comes with the lab. */
  readonly dataPath: string | undefined;
  /** Processes side by side. */
  readonly slots: number;
  /** Seconds between checkpoints. */
  readonly checkpointInterval: number;
}

/** Says which run of a sweep is the best one; null where none finished. */
export type BestOf = (config: Config, records: readonly RunRecord[]) => FinishedRun | null;

/**
 * Trains what is missing in a sweep's folder and returns all records in it, also when it was aborted.
 *
 * @param folder opened by `openFolder` for this configuration
 * @param bestOf says whose model is kept
 * @throws StopError when no run can be done here, as on a full disk
 */
export async function runSweep(
  config: Config,
  folder: string,
  { dataPath, slots, checkpointInterval }: SweepOptions,
  bestOf: BestOf,
  events: SweepEvents,
  signal: AbortSignal,
): Promise<RunRecord[]> {
  const runs = new OpenRuns(folder, config, readRecords(folder, config), events.finished);
  const next = async (): Promise<Job | undefined> => {
    for (;;) {
      const run = runs.take();
      if (run !== undefined)
        return { ...run, config, dataPaths: [dataPath ?? null], folder, checkpointInterval };
      if (runs.count === 0) return undefined;
      await delay(LOOK_INTERVAL, undefined, { signal });
    }
  };
  try {
    await runPool(
      next,
      Math.min(slots, runs.count),
      {
        ...events,
        finished: (record) => {
          runs.release(record);
          events.finished(record);
        },
        failed: (run, message) => {
          runs.release(run);
          events.failed(run, message);
        },
      },
      signal,
    );
  } finally {
    runs.close();
  }
  return tidyRecords(config, folder, bestOf);
}

/** The records of a folder, which then holds no more than it needs for them. */
export function tidyRecords(config: Config, folder: string, bestOf: BestOf): RunRecord[] {
  const records = readRecords(folder, config);
  tidy(folder, records, bestOf(config, records));
  const { variants, seeds } = config;
  if (records.length === variants.length * seeds.length) removeTemporaries(folder);
  return records;
}
