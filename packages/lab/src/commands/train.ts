// The runs of one sweep, done here or by the workers of a queue, under a live view: of a comparison, and of each round of
// tuning before it.
import type { Config } from "../config/types.js";
import { redisName } from "../queue/address.js";
import type { SweepEvents } from "../records/events.js";
import type { RunRecord } from "../records/record.js";
import { bestRun } from "../statistics/summary.js";
import { openFolder, readRecords } from "../sweep/folder.js";
import { runSweep, type SweepOptions } from "../sweep/sweep.js";
import { liveView } from "../terminal/live.js";
import { print } from "../terminal/output.js";
import type { OutcomeText } from "../terminal/progress.js";
import { count } from "../words/format.js";

/** Where and how runs are done. */
export interface Place extends SweepOptions {
  /** The folder of all sweeps' folders. */
  readonly out: string;
  /** The address of a Redis whose workers do the runs. */
  readonly queue: string | undefined;
}

export interface Trained {
  readonly folder: string;
  readonly records: readonly RunRecord[];
}

/**
 * Has done what is missing of a sweep, and tells how that goes.
 *
 * @param introduction printed first, when the folder is open
 * @param outcomeOf what is said of a run that ended
 * @returns undefined when it was interrupted, of which the user then knows
 */
export async function train(
  config: Config,
  introduction: string,
  place: Place,
  aborted: AbortSignal,
  outcomeOf?: OutcomeText,
): Promise<Trained | undefined> {
  const { queue } = place;
  const folder = await openFolder(place.out, config);
  const kept = readRecords(folder, config);
  const total = config.variants.length * config.seeds.length;
  print(introduction);
  if (kept.length === total) {
    print(`All ${total} runs are kept from before in ${folder}: nothing is left to train.`);
  } else {
    const before = kept.length > 0 ? `, where ${kept.length} of ${total} runs are kept from before` : "";
    print(`${workplace(config, place)}; records go to ${folder}${before}.`);
  }
  const view = liveView(config, kept, outcomeOf);
  const records = await sweep(config, folder, kept, place, view, aborted).finally(view.end);
  if (!aborted.aborted) return { folder, records };
  print(
    `\nInterrupted: ${records.length} of ${count(total, "run")} are kept in ${folder}` +
      (queue === undefined
        ? ", and checkpoints of those in hand. "
        : "; workers go on with those in the queue. ") +
      "Start again with the same options to do the rest.",
  );
  return undefined;
}

function workplace({ threads }: Config, { queue, slots }: Place): string {
  if (queue !== undefined) return `In the queue for swiglu-lab worker at ${redisName(queue)}`;
  return `Training in ${slots} ${slots === 1 ? "process" : "processes"} of ${count(threads, "thread")}`;
}

async function sweep(
  config: Config,
  folder: string,
  kept: readonly RunRecord[],
  { queue, ...options }: Place,
  view: SweepEvents,
  aborted: AbortSignal,
): Promise<RunRecord[]> {
  const isDone = kept.length === config.variants.length * config.seeds.length;
  if (queue === undefined || isDone) return await runSweep(config, folder, options, bestRun, view, aborted);
  const { runQueued } = await import("../queue/dispatch.js");
  return await runQueued(config, folder, queue, bestRun, view, aborted);
}
