// What there is to tell while runs are trained, wherever that is.
import type { CurvePoint, RunRecord } from "./record.js";
import type { Run } from "./run.js";

export interface SweepEvents {
  /** A run of `steps` steps has begun. */
  started(run: Run, steps: number): void;
  /** It goes on after this many steps that an earlier process did. */
  resumed(run: Run, step: number, curve: readonly CurvePoint[]): void;
  progress(run: Run, step: number, loss: number): void;
  /** Something that the user should know of a run that goes on. */
  remark(run: Run, message: string): void;
  finished(record: RunRecord): void;
  failed(run: Run, message: string): void;
  /** Whoever had it in hand is gone: it waits for another worker. */
  returned(run: Run): void;
  /** What ails the queue; it may pass, and work goes on by itself. */
  trouble(message: string): void;
}

/** What a worker tells of the run in its hands. */
export type RunEvents = Pick<SweepEvents, "resumed" | "progress" | "remark">;
