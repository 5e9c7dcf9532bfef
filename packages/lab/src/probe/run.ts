// The runs of a probe, one after the other in this process: trained exactly as compare trains them, and watched.
import { join } from "node:path";
import { activationFromJson } from "swiglu";
import { problemOf } from "../config/schema.js";
import type { Config } from "../config/types.js";
import { endsOf } from "../model/transformer.js";
import type { SweepEvents } from "../records/events.js";
import { type RunRecord, runKey } from "../records/record.js";
import type { Run } from "../records/run.js";
import { writeAtomically } from "../sweep/atomic.js";
import { readRecord, runsOf, writeRecord } from "../sweep/folder.js";
import { trainRun } from "../sweep/train.js";
import { UserError } from "../system/errors.js";
import { parseJson, readIfThere } from "../system/files.js";
import type { Batch, Task } from "../tasks/common/task.js";
import { Inspector } from "./inspector.js";
import type { ProbeRun } from "./types.js";
import { type Point, pointsSchema, Watch } from "./watch.js";

/** Tokens that a measurement is over, about. */
const TOKENS = 4096;

/** A run that is done, and the points that were measured on its way. */
interface Watched {
  readonly record: RunRecord;
  readonly points: readonly Point[];
}

/** The examples of the validation part that a probe looks at: about 4,096 tokens' worth. */
export function probedBatch(task: Task): Batch & { readonly examples: number } {
  const { tokens, labelsPerExample } = endsOf(task.ends);
  const batch = task.validationBatch(Math.ceil(TOKENS / tokens));
  return { ...batch, examples: batch.labels.length / labelsPerExample };
}

/** The records of the runs that are whole in a probe's folder. */
export const watchedRecords = (folder: string, config: Config): RunRecord[] =>
  runsOf(config).flatMap((run) => readWatched(folder, config, run)?.record ?? []);

type Events = Pick<SweepEvents, "started" | "progress" | "finished">;

/**
 * Does what is missing, run by run, and returns all.
 *
 * @param folder opened by `openFolder` for this configuration
 * @throws the signal's reason when it is aborted: the run in hand is lost, those before are kept
 */
export async function probeRuns(
  config: Config,
  folder: string,
  task: Task,
  events: Events,
  signal: AbortSignal,
): Promise<ProbeRun[]> {
  const all: ProbeRun[] = [];
  for (const run of runsOf(config)) {
    const { record, points } =
      readWatched(folder, config, run) ?? (await probeRun(config, folder, run, task, events, signal));
    const diverged = record.status === "diverged";
    all.push({ ...run, diverged, test: diverged ? null : record.test, points });
  }
  return all;
}

async function probeRun(
  config: Config,
  folder: string,
  run: Run,
  task: Task,
  events: Events,
  signal: AbortSignal,
): Promise<Watched> {
  const { width, depth, heads, threads } = config;
  const { name, activation, trained, hidden } = config.variants.find(({ name }) => name === run.variant)!;
  const batch = probedBatch(task);
  const inspector = await Inspector.create(
    { name, activation: activationFromJson(activation), trained },
    { ...task.ends, width, depth, heads, hidden },
    batch.examples,
    threads,
  );
  try {
    events.started(run, config.steps);
    const watch = new Watch(inspector, batch, config.steps);
    const { record } = await trainRun(
      { ...run, config, task },
      {
        onStep: (step, loss) => events.progress(run, step, loss),
        observe: (trainer, step, gradNorm) => {
          signal.throwIfAborted();
          return watch.observe(trainer, step, gradNorm);
        },
      },
    );
    await writeAtomically(pointsPath(folder, run), `${JSON.stringify(watch.points)}\n`);
    await writeRecord(folder, record); // last: a run with a record is whole
    events.finished(record);
    return { record, points: watch.points };
  } finally {
    await inspector.dispose();
  }
}

const pointsPath = (folder: string, { variant, seed }: Run): string =>
  join(folder, "records", `${encodeURIComponent(runKey(variant, seed))}.points.json`);

function readWatched(folder: string, config: Config, run: Run): Watched | undefined {
  const record = readRecord(folder, config, run);
  if (record === undefined) return undefined;
  const file = pointsPath(folder, run);
  const content = readIfThere(file);
  const { data: points, error } = pointsSchema.safeParse(content && parseJson(content));
  if (points !== undefined) return { record, points };
  const problem = content === undefined ? "it is not there" : problemOf(error);
  throw new UserError(
    `${file} cannot be read (${problem}): delete the record beside it to have that run trained again.`,
  );
}
