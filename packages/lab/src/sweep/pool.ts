// Worker processes that train jobs side by side. One process per slot, one job at a time; a worker that dies fails its
// own job, and a new one takes its place for the jobs that are left.
import { fork } from "node:child_process";
import { messageOf } from "../errors.js";
import type { Job, WorkerMessage } from "./job.js";
import type { RunRecord } from "./record.js";

export interface PoolEvents {
  started(slot: number, job: Job): void;
  progress(slot: number, step: number, loss: number): void;
  finished(slot: number, record: RunRecord): void;
  failed(slot: number, job: Job, message: string): void;
}

const WORKER = new URL("./worker.js", import.meta.url);

/**
 * Trains all jobs and resolves when each is finished or failed, or when `signal` aborts: then every worker is killed at
 * once and no event follows.
 *
 * @param slots how many processes work side by side
 */
export async function runPool(
  jobs: readonly Job[],
  slots: number,
  events: PoolEvents,
  signal: AbortSignal,
): Promise<void> {
  const queue = [...jobs];
  const workers: (Worker | undefined)[] = [];
  const killAll = (): void => {
    for (const worker of workers) worker?.kill();
  };
  signal.addEventListener("abort", killAll);

  /** Takes jobs from the queue, one after the other, until none is left. */
  async function work(slot: number): Promise<void> {
    for (let job = queue.shift(); job !== undefined && !signal.aborted; job = queue.shift()) {
      let worker = workers[slot];
      if (worker === undefined || worker.dead) {
        worker = new Worker();
        workers[slot] = worker;
      }
      events.started(slot, job);
      try {
        const record = await worker.run(job, (step, loss) => events.progress(slot, step, loss));
        if (!signal.aborted) events.finished(slot, record);
      } catch (thrown) {
        if (!signal.aborted) events.failed(slot, job, messageOf(thrown));
      }
    }
    workers[slot]?.end();
  }

  await Promise.all(Array.from({ length: Math.min(slots, jobs.length) }, (_, slot) => work(slot)));
  signal.removeEventListener("abort", killAll);
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
  run(job: Job, onProgress: (step: number, loss: number) => void): Promise<RunRecord> {
    const child = this.#child;
    return new Promise<RunRecord>((resolve, reject) => {
      const settle = (): void => {
        child.off("message", onMessage);
        child.off("close", onClose);
        child.off("error", onError);
      };
      const onMessage = (message: WorkerMessage): void => {
        if (message.type === "progress") {
          onProgress(message.step, message.loss);
          return;
        }
        settle();
        if (message.type === "finished") resolve(message.record);
        else reject(new Error(message.message));
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
