// Worker processes that train jobs side by side. One process per slot, one job at a time; a worker that dies fails its
// own job, and a new one takes its place for the jobs that are left.

import type { SweepEvents } from "../records/events.js";
import { messageOf, StopError } from "../system/errors.js";
import type { Job } from "./job.js";
import { TrainingProcess } from "./process.js";

/**
 * Trains jobs and resolves when there is none left and each is finished or failed, or when `signal` aborts: then every
 * worker is killed at once and no event follows.
 *
 * @param next the next job, as soon as there is one; undefined when there will be none
 * @param slots how many processes work side by side
 * @throws StopError when a worker finds that no run can be done here: then the others are killed
 */
export async function runPool(
  next: () => Promise<Job | undefined>,
  slots: number,
  events: SweepEvents,
  signal: AbortSignal,
): Promise<void> {
  const workers: (TrainingProcess | undefined)[] = [];
  let stopped = signal.aborted;
  const stop = (): void => {
    stopped = true;
    for (const worker of workers) worker?.kill();
  };
  signal.addEventListener("abort", stop);

  /** Takes jobs, one after the other, until there is none. */
  async function work(slot: number): Promise<void> {
    while (!stopped) {
      const job = await next();
      if (job === undefined || stopped) break;
      let worker = workers[slot];
      if (worker === undefined || worker.dead) {
        worker = new TrainingProcess();
        workers[slot] = worker;
      }
      events.started(job, job.config.steps);
      try {
        const record = await worker.run(job, events);
        if (!stopped) events.finished(record);
      } catch (thrown) {
        if (stopped) break;
        if (thrown instanceof StopError) throw thrown;
        events.failed(job, messageOf(thrown));
      }
    }
    workers[slot]?.end();
  }

  try {
    await Promise.all(Array.from({ length: slots }, (_, slot) => work(slot)));
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    stop();
    signal.removeEventListener("abort", stop);
  }
}
