// What travels between the sweep and its worker processes: plain data only.
import type { Config } from "../config/types.js";
import type { CurvePoint, RunRecord } from "../records/record.js";
import type { Run } from "../records/run.js";

/** One run to do: a variant of the configuration under one of its seeds. */
export interface Job extends Run {
  readonly config: Config;
  /** Where the data may lie; null stands for the data that comes with the lab. */
  readonly dataPaths: readonly (string | null)[];
  /** The sweep's folder, where the record goes. */
  readonly folder: string;
  /** Seconds between checkpoints. */
  readonly checkpointInterval: number;
}

export type WorkerMessage =
  | { readonly type: "progress"; readonly step: number; readonly loss: number }
  /** Something that the user should know of a run that goes on. */
  | { readonly type: "remark"; readonly message: string }
  /** The run goes on after this many steps. */
  | { readonly type: "resumed"; readonly step: number; readonly curve: readonly CurvePoint[] }
  | { readonly type: "finished"; readonly record: RunRecord }
  /** `stops`: no other run can be done here either. */
  | { readonly type: "failed"; readonly message: string; readonly stops: boolean };
