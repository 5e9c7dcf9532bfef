// The side of the queue that asks: puts the runs of a sweep in, and brings what workers made of them into the folder.
// It looks at the queue again and again instead of waiting for messages, so that none can be missed: killed and started
// again, or Redis emptied, it goes on from what it finds.
import { setTimeout as delay } from "node:timers/promises";
import { type Job, Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { Config } from "../config/types.js";
import type { SweepEvents } from "../records/events.js";
import type { RunRecord } from "../records/record.js";
import type { Run } from "../records/run.js";
import { readRecords, writeModel, writeRecord } from "../sweep/folder.js";
import { OpenRuns } from "../sweep/open-runs.js";
import { type BestOf, tidyRecords } from "../sweep/sweep.js";
import { connectRedis, explainReply, tellTroubles } from "./connection.js";
import {
  jobId,
  KEPT,
  modelKey,
  QUEUE,
  type QueueProgress,
  queuedRun,
  readProgress,
  readResult,
} from "./job.js";

/** Milliseconds between two looks, and between two that also put in again what has vanished. */
const LOOK_INTERVAL = 500;
const REFILL_INTERVAL = 15_000;

/** A run whose model is missing as often as this has failed. */
const MOST_TRIES = 3;

/**
 * Has the missing runs of a sweep's folder done by workers, and returns all records in it, also when it was aborted:
 * then what is in the queue stays there, and the next call collects it.
 *
 * @param folder opened by `openFolder` for this configuration
 * @param url of Redis
 * @param bestOf says whose model is kept
 * @throws UserError when Redis cannot be reached; StopError when the folder's disk is full
 */
export async function runQueued(
  config: Config,
  folder: string,
  url: string,
  bestOf: BestOf,
  events: SweepEvents,
  signal: AbortSignal,
): Promise<RunRecord[]> {
  const redis = await connectRedis(url);
  const queue = new Queue(QUEUE, { connection: redis, streams: { events: { maxLen: 1000 } } });
  queue.on("error", tellTroubles(redis, events.trouble));
  const done = readRecords(folder, config);
  const runs = new OpenRuns(folder, config, done, events.finished);
  const dispatch = new Dispatch(config, folder, redis, queue, runs, events);
  const hangUp = (): void => redis.disconnect();
  signal.addEventListener("abort", hangUp);
  try {
    await dispatch.forget(done);
    while (!signal.aborted && (await dispatch.look())) await delay(LOOK_INTERVAL, undefined, { signal });
  } catch (thrown) {
    if (!signal.aborted) throw explainReply(redis, thrown);
  } finally {
    runs.close();
    signal.removeEventListener("abort", hangUp);
    redis.disconnect();
  }
  return tidyRecords(config, folder, bestOf);
}

class Dispatch {
  /** The runs that are this sweep's to collect, by the id of their jobs. */
  private readonly pending = new Map<string, Run>();
  /** Those of the pending jobs that a worker has in hand, and what was told of each last. */
  private readonly active = new Map<string, QueueProgress>();
  /** How often the model of a run was missing. */
  private readonly tries = new Map<string, number>();
  private filled = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly config: Config,
    private readonly folder: string,
    private readonly redis: Redis,
    private readonly queue: Queue,
    private readonly runs: OpenRuns,
    private readonly events: SweepEvents,
  ) {}

  /** Deletes the jobs of runs that were recorded when this process was killed. */
  async forget(records: readonly RunRecord[]): Promise<void> {
    for (const record of records) await this.remove(jobId(this.config, record));
  }

  /** Puts in what is free, collects what is done, tells of the rest. Returns whether there is a rest. */
  async look(): Promise<boolean> {
    await this.takeFree();
    const now = performance.now();
    if (now - this.filled > REFILL_INTERVAL) {
      this.filled = now;
      await this.fill([...this.pending.values()]);
    }
    for (const job of await this.mine("completed")) await this.collect(job);
    for (const job of await this.mine("failed")) await this.fail(job);
    await this.follow(await this.mine("active"));
    return this.pending.size + this.runs.count > 0;
  }

  private async takeFree(): Promise<void> {
    const taken: Run[] = [];
    for (let run = this.runs.take(); run !== undefined; run = this.runs.take()) {
      this.pending.set(jobId(this.config, run), run);
      taken.push(run);
    }
    await this.fill(taken);
  }

  /** Adds runs; those that are in the queue already stay as they are. */
  private async fill(runs: readonly Run[]): Promise<void> {
    const kept = { age: KEPT };
    await this.queue.addBulk(
      runs.map((run) => ({
        name: `${run.variant}, seed ${run.seed}`,
        data: queuedRun(this.config, run),
        opts: { jobId: jobId(this.config, run), removeOnComplete: kept, removeOnFail: kept },
      })),
    );
  }

  /** The jobs of this sweep that are in a state; those of others may be many, and are not read. */
  private async mine(state: "active" | "completed" | "failed"): Promise<Job[]> {
    const ids = await this.queue.getRanges([state], 0, -1, true);
    const jobs = await Promise.all(
      ids.filter((id) => this.pending.has(id)).map((id): Promise<Job | undefined> => this.queue.getJob(id)),
    );
    return jobs.filter((job) => job !== undefined);
  }

  private async collect(job: Job): Promise<void> {
    const [id, run] = this.known(job);
    const result = readResult(job.returnvalue, this.config, run);
    if ("problem" in result)
      return await this.give(id, run, `what came back from its worker is not its record (${result.problem})`);
    const { record, hasModel } = result.value;
    if (hasModel) {
      const model = await this.redis.getBuffer(modelKey(id));
      if (model === null) return await this.again(id, run);
      await writeModel(this.folder, run, model);
    }
    await writeRecord(this.folder, record);
    this.end(id, run);
    this.events.finished(record);
    await this.remove(id);
  }

  private async fail(job: Job): Promise<void> {
    await this.give(...this.known(job), job.failedReason);
  }

  /** Gives a run up; the next start tries again. */
  private async give(id: string, run: Run, reason: string): Promise<void> {
    this.end(id, run);
    this.events.failed(run, reason);
    await this.remove(id);
  }

  /** Has a run done again whose model is not in Redis, but not without end. */
  private async again(id: string, run: Run): Promise<void> {
    const tries = (this.tries.get(id) ?? 0) + 1;
    this.tries.set(id, tries);
    if (tries === MOST_TRIES)
      return await this.give(id, run, `its model was not in Redis, ${MOST_TRIES} times in a row`);
    this.events.remark(run, "its model is no longer in Redis; the run starts anew");
    await this.remove(id);
    await this.fill([run]);
  }

  private async follow(jobs: readonly Job[]): Promise<void> {
    const ids = new Set(jobs.map(({ id }) => id));
    for (const id of this.active.keys()) {
      if (ids.has(id)) continue;
      this.active.delete(id);
      const run = this.pending.get(id);
      if (run !== undefined) this.events.returned(run); // its worker is gone: it waits for another one
    }
    for (const job of jobs) {
      const [id, run] = this.known(job);
      if (!this.active.has(id)) this.events.started(run, this.config.steps);
      const last = this.active.get(id) ?? { step: 0, loss: null, from: 0 };
      const now = readProgress(job.progress, this.config.steps) ?? last;
      this.active.set(id, now);
      if (now.from !== last.from) this.events.resumed(run, now.from, []);
      if (now.step !== last.step && now.loss !== null) this.events.progress(run, now.step, now.loss);
    }
  }

  private known({ id }: Job): [id: string, run: Run] {
    const run = id === undefined ? undefined : this.pending.get(id);
    if (id === undefined || run === undefined) throw new Error(`job ${id} is not of this sweep`);
    return [id, run];
  }

  /** This sweep is done with a run. */
  private end(id: string, run: Run): void {
    this.pending.delete(id);
    this.active.delete(id);
    this.runs.release(run);
  }

  private async remove(id: string): Promise<void> {
    await this.queue.remove(id);
    await this.redis.del(modelKey(id));
  }
}
