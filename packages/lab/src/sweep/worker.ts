// A worker process: trains the jobs it is sent, one after the other, writes each record itself and reports over IPC.
// It ends when its parent does: also when that was killed, for the channel then closes.
import { canonicalJson } from "../config/config.js";
import type { Config } from "../config/types.js";
import { messageOf, StopError, UserError } from "../system/errors.js";
import type { TaskData, TaskModule } from "../tasks/common/definition.js";
import type { Task } from "../tasks/common/task.js";
import { loadModule } from "../tasks/load.js";
import { CheckpointFile } from "./checkpoint.js";
import { checkpointPath, writeModel, writeRecord } from "./folder.js";
import type { Job, WorkerMessage } from "./job.js";
import { trainRun } from "./train.js";

/** At most this often, in milliseconds, a step is reported. */
const REPORT_INTERVAL = 100;

let loaded: { readonly key: string; readonly task: Task } | undefined;

process.on("disconnect", () => process.exit(0));
process.on("SIGINT", () => {}); // Ctrl-C reaches the whole process group: the parent decides
process.on("SIGTERM", () => process.exit(0));
process.on("message", (job: Job) => {
  runJob(job).catch((thrown: unknown) =>
    send({ type: "failed", message: messageOf(thrown), stops: thrown instanceof StopError }),
  );
});

async function runJob(job: Job): Promise<void> {
  const { variant, seed, config, dataPaths, folder, checkpointInterval } = job;
  const task = await taskOf(config, dataPaths);
  const checkpoint = new CheckpointFile(checkpointPath(folder, job), config, job, checkpointInterval);
  const { resumed, refusal } = checkpoint;
  if (refusal !== undefined) send({ type: "remark", message: refusal });
  if (resumed !== undefined) send({ type: "resumed", step: resumed.state.steps, curve: resumed.curve });
  let reported = 0;
  const onStep = (step: number, loss: number): void => {
    const now = performance.now();
    if (now - reported < REPORT_INTERVAL) return;
    reported = now;
    send({ type: "progress", step, loss });
  };
  const { record, model } = await trainRun(
    { config, variant, seed, task },
    { onStep, checkpoints: checkpoint },
  );
  if (model !== undefined) await writeModel(folder, record, model);
  await writeRecord(folder, record);
  await checkpoint.remove();
  send({ type: "finished", record });
}

/**
 * The task of a configuration, from the first of the places that has its data.
 *
 * @throws StopError where none has them: that is what this machine lacks; UserError for a run that is no good anywhere
 */
async function taskOf(config: Config, places: readonly (string | null)[]): Promise<Task> {
  const key = canonicalJson({ ...config, variants: [], seeds: [] });
  if (loaded?.key === key) return loaded.task;
  const module = await loadModule(config.task);
  const others: string[] = [];
  for (const place of places) {
    const data = readAt(module, place, config, others);
    if (data === undefined) continue;
    const task = module.make(config, data, false);
    refuseOtherData(config, task);
    loaded = { key, task };
    return task;
  }
  const { name, sha256 } = config.data;
  throw new StopError(
    `${name} (SHA-256 ${sha256.slice(0, 12)}) is not here: ${others.join("; ")}. Name its place with --data.`,
  );
}

/** The data of a configuration, where they are at this place; undefined, and why in `others`, where they are not. */
function readAt(
  { read }: TaskModule,
  place: string | null,
  { data }: Config,
  others: string[],
): TaskData | undefined {
  try {
    const found = read(place ?? undefined);
    if (found.sha256 === data.sha256) return found;
    others.push(`${place ?? "what comes with the lab"} is other data`);
  } catch (thrown) {
    if (!(thrown instanceof UserError)) throw thrown;
    others.push(thrown.message);
  }
  return undefined;
}

/** What a run says of its data must be so; only their name may be another on each machine. */
function refuseOtherData(config: Config, { config: { data } }: Task): void {
  const said = canonicalJson({ ...config.data, name: "" });
  const found = canonicalJson({ ...data, name: "" });
  if (said !== found) throw new UserError(`the run says of its data ${said}, but they are ${found}`);
}

function send(message: WorkerMessage): void {
  process.send?.(message);
}
