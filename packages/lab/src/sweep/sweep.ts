// A whole sweep on this machine: the runs of a configuration that are not done yet, trained side by side, and shared with
// other sweeps in the same folder; models of all but the best deleted.
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../config/config.js";
import type { SweepEvents } from "../records/events.js";
import type { RunRecord } from "../records/record.js";
import { summarise } from "../statistics/summary.js";
import { readRecords, removeTemporaries, tidy } from "./folder.js";
import type { Job } from "./job.js";
import { OpenRuns } from "./openRuns.js";
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

/**
 * Trains what is missing in a sweep's folder and returns all records in it, also when it was aborted.
 *
 * @param folder opened by `openFolder` for this configuration
 * @throws StopError when no run can be done here, as on a full disk
 */
export async function runSweep(
  config: Config,
  folder: string,
  { dataPath, slots, checkpointInterval }: SweepOptions,
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
  return tidyRecords(config, folder);
}

/** The records of a folder, which then holds no more than it needs for them. */
export function tidyRecords(config: Config, folder: string): RunRecord[] {
  const records = readRecords(folder, config);
  const { best, missing } = summarise(config, records);
  tidy(folder, records, best);
  if (missing === 0) removeTemporaries(folder);
  return records;
}
