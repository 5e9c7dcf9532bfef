// swiglu-lab worker: takes runs from the queue of any sweep, on any machine, until it is stopped.
import { availableParallelism, hostname } from "node:os";
import { redisName } from "../queue/address.js";
import { serveQueue } from "../queue/serve.js";
import { workerView } from "../terminal/workerView.js";
import { untilSignal } from "./signals.js";

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
  const view = workerView(process.stdout);
  process.stdout.write(
    `Taking runs from ${name} on ${hostname()}, in ${slots} ${slots === 1 ? "process" : "processes"}; Ctrl-C gives back what is in hand.\n`,
  );
  const { signal } = await untilSignal((aborted) =>
    serveQueue(url, { slots, data, folder: work, checkpointInterval, lock }, view, aborted),
  );
  process.stdout.write("Stopped: what was in hand is in the queue again.\n");
  return 128 + signal;
}
