// The side of the queue that works: takes runs, trains each in a process of its own, so that the locks of the queue are
// kept alive meanwhile, and gives back records and models.
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Job, UnrecoverableError, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { labVersion } from "../config/config.js";
import type { SweepEvents } from "../records/events.js";
import type { RunRecord } from "../records/record.js";
import type { Run } from "../records/run.js";
import { readModel, readRecord, recordFile } from "../sweep/folder.js";
import { TrainingProcess } from "../sweep/process.js";
import { messageOf, StopError, UserError } from "../system/errors.js";
import { connectRedis, explainReply, tellTroubles } from "./connection.js";
import {
  jobId,
  KEPT,
  modelKey,
  QUEUE,
  type QueuedRun,
  type QueueResult,
  readQueuedRun,
  versionOf,
} from "./job.js";

/** At most this often, in milliseconds, the progress of a run is told. */
const REPORT_INTERVAL = 1_000;

/** Milliseconds for giving runs back at the end. */
const FAREWELL = 5_000;

export interface WorkerOptions {
  /** Processes side by side. */
  readonly slots: number;
  /** Where data may lie beside that which comes with the lab. */
  readonly data: readonly string[];
  /** For checkpoints, and for records and models until they are given back. */
  readonly folder: string;
  /** Seconds between checkpoints. */
  readonly checkpointInterval: number;
  /** Seconds without a sign of life after which another worker takes over its runs. */
  readonly lock: number;
}

/**
 * Works on the queue until `signal` aborts; then every run in hand goes back to the queue.
 *
 * @param url of Redis
 * @throws UserError when Redis cannot be reached, the queue holds runs of another version of the lab, or this machine
 *   cannot do them; nothing is lost by that
 */
export async function serveQueue(
  url: string,
  options: WorkerOptions,
  events: SweepEvents,
  signal: AbortSignal,
): Promise<void> {
  const redis = await connectRedis(url);
  try {
    await new Station(redis, options, events).serve(signal);
  } finally {
    redis.disconnect();
  }
}

/** What a worker calls the folders of its runs: `jobId`. Others in its folder are not its own. */
const OWN_FOLDER = /^run-[0-9a-f]{32}$/;

/** Makes a folder, or says that this machine cannot do any run: nothing can be kept. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (thrown) {
    throw new StopError(`${folder} cannot be made: ${messageOf(thrown)}. Choose another folder with --work.`);
  }
}

class Station {
  private readonly idle: TrainingProcess[] = [];
  private readonly busy = new Set<TrainingProcess>();
  /** Set when this worker ends: runs in hand go back. */
  private isStopping = false;
  private stop: (reason?: StopError) => void = () => {};

  constructor(
    private readonly redis: Redis,
    private readonly options: WorkerOptions,
    private readonly events: SweepEvents,
  ) {}

  async serve(signal: AbortSignal): Promise<void> {
    const { slots, lock } = this.options;
    this.sweepFolder();
    const stopped = new Promise<StopError | undefined>((resolve) => {
      this.stop = resolve;
    });
    const onAbort = (): void => this.stop();
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    const worker = new Worker(QUEUE, (job: Job, token?: string) => this.do(job, token), {
      connection: this.redis,
      name: hostname(),
      concurrency: slots,
      lockDuration: 1000 * lock,
      stalledInterval: 300 * lock,
      maxStalledCount: 1000, // a lost worker is no fault of the run
    });
    worker.on("error", tellTroubles(this.redis, this.events.trouble));
    worker.on("completed", (job) => rmSync(this.folderOf(job), { recursive: true, force: true }));
    const reason = await stopped;
    this.isStopping = true;
    for (const process of this.busy) process.kill();
    await Promise.race([worker.close(), delay(FAREWELL, undefined, { ref: false })]); // Redis may be away
    signal.removeEventListener("abort", onAbort);
    for (const process of this.idle) process.end();
    if (reason !== undefined) throw reason;
  }

  private async do(job: Job, token: string | undefined): Promise<QueueResult> {
    const version = versionOf(job.data);
    if (version !== undefined && version !== labVersion()) {
      return this.giveBack(
        job,
        token,
        new StopError(
          `the queue holds runs of swiglu-lab ${version}, and this is ${labVersion()}: install the same version on ` +
            "every machine. The runs stay in the queue.",
        ),
      );
    }
    const run = this.read(job);
    const folder = this.folderOf(job);
    let record: RunRecord | undefined;
    try {
      makeFolder(join(folder, "records"));
      record = this.readBack(folder, run);
      if (record === undefined) {
        this.events.started(run, run.config.steps);
        record = await this.train(run, folder, job);
        this.events.finished(record);
      }
    } catch (thrown) {
      if (this.isStopping) return this.giveBack(job, token);
      if (thrown instanceof StopError) return this.giveBack(job, token, thrown);
      this.events.failed(run, messageOf(thrown));
      throw new UnrecoverableError(`on ${hostname()}: ${messageOf(thrown)}`);
    }
    const model = readModel(folder, run.variant, run.seed);
    if (model !== undefined) {
      try {
        await this.redis.set(modelKey(String(job.id)), Buffer.from(model), "EX", KEPT);
      } catch (thrown) {
        const reason = explainReply(this.redis, thrown);
        if (reason instanceof StopError) return this.giveBack(job, token, reason); // the record is kept here
        throw thrown;
      }
    }
    return { record, hasModel: model !== undefined };
  }

  /**
   * The record of a run that was done here before, by a worker that was killed before it could say so. Where that or its
   * model is damaged or lost, both can be made again.
   */
  private readBack(folder: string, run: QueuedRun & Run): RunRecord | undefined {
    try {
      const record = readRecord(folder, run.config, run);
      const isWhole = record?.status !== "finished" || readModel(folder, run.variant, run.seed) !== undefined;
      if (isWhole) return record;
      this.events.remark(run, "its model was lost here; the run starts anew");
    } catch (thrown) {
      if (!(thrown instanceof UserError)) throw thrown;
      this.events.remark(run, `${messageOf(thrown)} The run starts anew.`);
    }
    rmSync(recordFile(folder, run), { recursive: true, force: true });
    return undefined;
  }

  private read({ id, data }: Job): QueuedRun & Run {
    try {
      const run = readQueuedRun(data);
      if (id !== jobId(run.config, run)) throw new Error("the job is not a run: its id is that of another");
      return run;
    } catch (thrown) {
      this.events.trouble(`job ${id}: ${messageOf(thrown)}`);
      throw new UnrecoverableError(messageOf(thrown));
    }
  }

  /** Trains a run in a process of its own and tells the queue how far it is. */
  private async train(run: QueuedRun & Run, folder: string, job: Job): Promise<RunRecord> {
    const { data, checkpointInterval } = this.options;
    const { config, variant, seed } = run;
    let from = 0;
    let told = 0;
    const tell = (step: number, loss: number | null): void => {
      told = performance.now();
      job.updateProgress({ step, loss, from }).catch(() => {}); // Redis is away: the next one may arrive
    };
    const process = this.idle.pop() ?? new TrainingProcess();
    this.busy.add(process);
    try {
      return await process.run(
        { variant, seed, config, dataPaths: [null, ...data], folder, checkpointInterval },
        {
          progress: (_, step, loss) => {
            this.events.progress(run, step, loss);
            if (performance.now() - told > REPORT_INTERVAL) tell(step, loss);
          },
          resumed: (_, step, curve) => {
            from = step;
            this.events.resumed(run, step, curve);
            tell(step, null);
          },
          remark: (_, message) => this.events.remark(run, message),
        },
      );
    } finally {
      this.busy.delete(process);
      if (!process.dead) this.idle.push(process);
    }
  }

  /** Puts a run back for others, and ends this worker where there is a reason. */
  private async giveBack(job: Job, token: string | undefined, reason?: StopError): Promise<never> {
    if (reason !== undefined) this.stop(reason);
    await job.moveToWait(token);
    throw new WaitingError();
  }

  /** For a job that was read: its id is a hash. */
  private folderOf({ id }: Job): string {
    return join(this.options.folder, String(id));
  }

  /** Makes the folder, and deletes in it what others have finished long ago. */
  private sweepFolder(): void {
    const { folder } = this.options;
    makeFolder(folder);
    for (const name of readdirSync(folder).filter((name) => OWN_FOLDER.test(name))) {
      const path = join(folder, name);
      if (Date.now() - statSync(path).mtimeMs > 1000 * KEPT) rmSync(path, { recursive: true, force: true });
    }
  }
}
