// What travels through the queue: a run as data, and what became of it. Nothing of it is code: activations travel as
// expressions in JSON. Whatever comes out of Redis is checked before it is used.
import { activationFromJson } from "swiglu";
import { z } from "zod";
import type { Config } from "../config/config.js";
import { messageOf } from "../errors.js";
import { isRunRecord, type RunRecord } from "../records/record.js";
import { configOfRun, type Run, runHash } from "../records/run.js";

/** The one queue that runs of all sweeps go through. */
export const QUEUE = "swiglu-lab";

/** Seconds after which what nobody has asked for is forgotten: two weeks. */
export const KEPT = 14 * 24 * 3600;

const size = z.int().positive();
const positive = z.number().positive();
const examples = z.strictObject({ train: size, validation: size, test: size });
const data = z.strictObject({ name: z.string(), sha256: z.string().min(1), examples });

const common = {
  version: z.string(),
  variants: z.tuple([
    z.strictObject({
      name: z.string().min(1),
      trained: z.boolean(),
      activation: z.unknown().superRefine(checkActivation),
      hidden: size,
      feedForwardParameters: size,
      learningRate: positive,
    }),
  ]),
  seeds: z.tuple([z.int().nonnegative()]),
  steps: size,
  batch: size,
  width: size,
  depth: size,
  heads: size,
  weightDecay: z.number().nonnegative(),
  clipNorm: positive,
  threads: size,
};

/** The configuration of one run. */
const runConfig = z.discriminatedUnion("task", [
  z.strictObject({
    ...common,
    task: z.literal("images"),
    data: data.extend({ imageSize: size, classes: size }),
    patch: size,
  }),
  z.strictObject({ ...common, task: z.literal("language"), data, vocabulary: size, context: size }),
  z.strictObject({
    ...common,
    task: z.literal("translation"),
    data,
    vocabulary: size,
    context: size,
    beam: size,
    translated: size,
  }),
]);

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
  const { success, data, error } = z.strictObject({ config: runConfig }).safeParse(json);
  if (!success) {
    const [issue] = error.issues;
    throw new Error(`the job is not a run: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { config } = data;
  return { config, variant: config.variants[0].name, seed: config.seeds[0] };
}

/** The version of the lab that put a job in, so that another one is told apart from one that is no run at all. */
export function versionOf(json: unknown): string | undefined {
  const { data } = z.object({ config: z.object({ version: z.string() }) }).safeParse(json);
  return data?.config.version;
}

/** How far a run is. */
const progress = z.object({ step: z.int(), loss: z.number().nullable(), from: z.int() });
export type QueueProgress = z.infer<typeof progress>;

/** Undefined before there is any. */
export const readProgress = (json: unknown): QueueProgress | undefined => progress.safeParse(json).data;

/** What a worker gives back; the model, where there is one, lies beside it in Redis. */
export interface QueueResult {
  readonly record: RunRecord;
  readonly hasModel: boolean;
}

/** Undefined when it is not the result of that run. */
export function readResult(json: unknown, { variant, seed }: Run): QueueResult | undefined {
  const { data } = z.object({ record: z.unknown(), hasModel: z.boolean() }).safeParse(json);
  if (data === undefined || !isRunRecord(data.record)) return undefined;
  const { record, hasModel } = data;
  return record.variant === variant && record.seed === seed ? { record, hasModel } : undefined;
}

/** Where in Redis the model of a job lies until it is fetched. */
export const modelKey = (id: string): string => `${QUEUE}:model:${id}`;

function checkActivation(json: unknown, context: z.RefinementCtx): void {
  try {
    activationFromJson(json);
  } catch (thrown) {
    context.addIssue({ code: "custom", message: messageOf(thrown) });
  }
}
