// Worker processes that train jobs side by side. One process per slot, one job at a time; a worker that dies fails its
// own job, and a new one takes its place for the jobs that are left.
import { fork } from "node:child_process";
import { messageOf } from "../errors.js";
import { DiskFullError } from "./atomic.js";
import type { Job, WorkerMessage } from "./job.js";
import type { CurvePoint, RunRecord } from "./record.js";
import type { Run } from "./run.js";

/** What happens to the runs of a sweep, wherever they are trained. */
export interface SweepEvents {
  started(run: Run): void;
  /** It goes on after this many steps that an earlier process did. */
  resumed(run: Run, step: number, curve: readonly CurvePoint[]): void;
  progress(run: Run, step: number, loss: number): void;
  /** Something that the user should know of a run that goes on. */
  remark(run: Run, message: string): void;
  finished(record: RunRecord): void;
  failed(run: Run, message: string): void;
}

/** What a worker tells of the run in its hands. */
type RunEvents = Pick<SweepEvents, "resumed" | "progress" | "remark">;

const WORKER = new URL("./worker.js", import.meta.url);

/**
 * Trains jobs and resolves when there is none left and each is finished or failed, or when `signal` aborts: then every
 * worker is killed at once and no event follows.
 *
 * @param next the next job, as soon as there is one; undefined when there will be none
 * @param slots how many processes work side by side
 * @throws DiskFullError when a worker finds the disk full: then the others are killed
 */
export async function runPool(
  next: () => Promise<Job | undefined>,
  slots: number,
  events: SweepEvents,
  signal: AbortSignal,
): Promise<void> {
  const workers: (Worker | undefined)[] = [];
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
        worker = new Worker();
        workers[slot] = worker;
      }
      events.started(job);
      try {
        const record = await worker.run(job, events);
        if (!stopped) events.finished(record);
      } catch (thrown) {
        if (stopped) break;
        if (thrown instanceof DiskFullError) throw thrown;
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

/** A child process and the job it has in hand. */
class Worker {
  dead = false;
  readonly #child = fork(WORKER, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  #lastWords = "";

  constructor() {
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#lastWords = (this.#lastWords + chunk.toString()).slice(-2000);
    });
    this.#child.on("exit", () => {
      this.dead = true;
    });
  }

  /** Resolves with the job's record; rejects when the run fails or the process ends. */
  run(job: Job, events: RunEvents): Promise<RunRecord> {
    const child = this.#child;
    return new Promise<RunRecord>((resolve, reject) => {
      const settle = (): void => {
        child.off("message", onMessage);
        child.off("close", onClose);
        child.off("error", onError);
      };
      const onMessage = (message: WorkerMessage): void => {
        if (message.type === "progress") events.progress(job, message.step, message.loss);
        else if (message.type === "resumed") events.resumed(job, message.step, message.curve);
        else if (message.type === "remark") events.remark(job, message.message);
        else {
          settle();
          if (message.type === "finished") resolve(message.record);
          else reject(message.full ? new DiskFullError(message.message) : new Error(message.message));
        }
      };
      const onClose = (code: number | null, signalName: string | null): void => {
        settle();
        const how = signalName === null ? `exit code ${code}` : `signal ${signalName}`;
        const words = this.#lastWords.trim().split("\n").slice(-3).join(" | ");
        reject(new Error(`its worker process ended (${how})${words === "" ? "" : `: ${words}`}`));
      };
      const onError = (error: Error): void => {
        settle();
        this.dead = true;
        this.kill();
        reject(new Error(`its worker process could not be used: ${error.message}`));
      };
      child.on("message", onMessage);
      child.on("close", onClose);
      child.on("error", onError);
      child.send(job, (error) => error !== null && onError(error));
    });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Lets the process end: without its channel it has nothing to wait for. */
  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
