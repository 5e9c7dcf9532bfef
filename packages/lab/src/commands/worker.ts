// swiglu-lab worker: takes runs from the queue of any sweep, on any machine, until it is stopped.
import { availableParallelism, hostname } from "node:os";
import { redisName } from "../queue/address.js";
import { serveQueue } from "../queue/serve.js";
import { print } from "../terminal/output.js";
import { workerView } from "../terminal/worker-view.js";
import { untilInterrupted } from "./signals.js";

export interface WorkerCommandOptions {
  readonly data: readonly string[];
  readonly work: string;
  readonly jobs?: number;
  readonly checkpointInterval: number;
  readonly lock: number;
}

/**
 * Works until a signal comes.
 *
 * @param url of Redis
 * @returns the exit code: 128 + the signal's number
 */
export async function worker(url: string, options: WorkerCommandOptions): Promise<number> {
  const { data, work, checkpointInterval, lock } = options;
  const slots = options.jobs ?? availableParallelism();
  const name = redisName(url);
  const view = workerView();
  print(
    `Taking runs from ${name} on ${hostname()}, in ${slots} ${slots === 1 ? "process" : "processes"}; Ctrl-C gives back what is in hand.`,
  );
  const { code } = await untilInterrupted((aborted) =>
    serveQueue(url, { slots, data, folder: work, checkpointInterval, lock }, view, aborted),
  );
  print("Stopped: what was in hand is in the queue again.");
  return code;
}
