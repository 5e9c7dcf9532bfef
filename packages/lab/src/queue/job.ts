// What travels through the queue: a run as data, and what became of it. Nothing of it is code: activations travel as
// expressions in JSON. Whatever comes out of Redis is checked before it is used.
import { z } from "zod";
import { type Checked, checkRunConfig, problemOf } from "../config/schema.js";
import type { Config } from "../config/types.js";
import { checkRecord, type RunRecord } from "../records/record.js";
import { configOfRun, type Run, runHash } from "../records/run.js";

/** The one queue that runs of all sweeps go through. */
export const QUEUE = "swiglu-lab";

/** Seconds after which what nobody has asked for is forgotten: two weeks. */
export const KEPT = 14 * 24 * 3600;

/** What Redis holds of a run that is to be done. */
export interface QueuedRun {
  readonly config: Config;
}

export const queuedRun = (config: Config, run: Run): QueuedRun => ({ config: configOfRun(config, run) });

/** The id of a run's job: the same run, of whatever sweep, is one job. */
export const jobId = (config: Config, run: Run): string => `run-${runHash(config, run)}`;

/**
 * Checks what came out of the queue.
 *
 * @throws Error that names the first thing which is not as it should be
 */
export function readQueuedRun(json: unknown): QueuedRun & Run {
  const { data, error } = z.strictObject({ config: z.unknown() }).safeParse(json);
  if (data === undefined) throw new Error(`the job is not a run: ${problemOf(error)}`);
  const checked = checkRunConfig(data.config);
  if ("problem" in checked) throw new Error(`the job is not a run: config.${checked.problem}`);
  const { value: config } = checked;
  return { config, variant: config.variants[0]!.name, seed: config.seeds[0]! };
}

/** The version of the lab that put a job in, so that another one is told apart from one that is no run at all. */
export function versionOf(json: unknown): string | undefined {
  const { data } = z.object({ config: z.object({ version: z.string().max(100) }) }).safeParse(json);
  return data?.config.version;
}

/** How far a run is. */
const progress = z.object({
  step: z.int().nonnegative(),
  loss: z.number().nullable(),
  from: z.int().nonnegative(),
});
export type QueueProgress = z.infer<typeof progress>;

/** The progress of a run of `steps` steps; undefined before there is any, and for what cannot be its progress. */
export function readProgress(json: unknown, steps: number): QueueProgress | undefined {
  const { data } = progress.safeParse(json);
  return data !== undefined && data.from <= data.step && data.step <= steps ? data : undefined;
}

/** What a worker gives back; the model, where there is one, lies beside it in Redis. */
export interface QueueResult {
  readonly record: RunRecord;
  readonly hasModel: boolean;
}

/** Checks what a worker gave back for a run: finished runs have a model, diverged ones have none. */
export function readResult(json: unknown, config: Config, run: Run): Checked<QueueResult> {
  const { data, error } = z.object({ record: z.unknown(), hasModel: z.boolean() }).safeParse(json);
  if (data === undefined) return { problem: problemOf(error) };
  const { hasModel } = data;
  const checked = checkRecord(data.record, config, run);
  if ("problem" in checked) return checked;
  const record = checked.value;
  if (hasModel !== (record.status === "finished"))
    return { problem: `hasModel: ${hasModel}, of a run that ${record.status}` };
  return { value: { record, hasModel } };
}

/** Where in Redis the model of a job lies until it is fetched. */
export const modelKey = (id: string): string => `${QUEUE}:model:${id}`;
