// A worker process as its parent sees it: takes a job, tells how it goes, and gives the record or an error.
import { fork } from "node:child_process";
import type { RunEvents } from "../records/events.js";
import type { RunRecord } from "../records/record.js";
import { StopError } from "../system/errors.js";
import type { Job, WorkerMessage } from "./job.js";

const WORKER = new URL("./worker.js", import.meta.url);

/** A child process; it trains one job at a time. */
export class TrainingProcess {
  dead = false;
  private readonly child = fork(WORKER, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  private lastWords = "";

  constructor() {
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.lastWords = (this.lastWords + chunk.toString()).slice(-2000);
    });
    this.child.on("exit", () => {
      this.dead = true;
    });
  }

  /** Resolves with the job's record; rejects when the run fails or the process ends. */
  run(job: Job, events: RunEvents): Promise<RunRecord> {
    const child = this.child;
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
          else reject(message.stops ? new StopError(message.message) : new Error(message.message));
        }
      };
      const onClose = (code: number | null, signalName: string | null): void => {
        settle();
        const how = signalName === null ? `exit code ${code}` : `signal ${signalName}`;
        const words = this.lastWords.trim().split("\n").slice(-3).join(" | ");
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
    this.child.kill("SIGKILL");
  }

  /** Lets the process end: without its channel it has nothing to wait for. */
  end(): void {
    if (this.child.connected) this.child.disconnect();
  }
}
