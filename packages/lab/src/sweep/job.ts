// What travels between the sweep and its worker processes: plain data only.
import type { Config } from "../config/config.js";
import type { RunRecord } from "./record.js";

/** One run to do: a variant of the configuration under one of its seeds. */
export interface Job {
  readonly variant: string;
  readonly seed: number;
  readonly config: Config;
  /** The folder with the IDX files. */
  readonly dataDirectory: string;
  /** The sweep's folder, where the record goes. */
  readonly folder: string;
}

export type WorkerMessage =
  | { readonly type: "progress"; readonly step: number; readonly loss: number }
  | { readonly type: "finished"; readonly record: RunRecord }
  | { readonly type: "failed"; readonly message: string };
