// A worker process: trains the jobs it is sent, one after the other, writes each record itself and reports over IPC.
// It ends when its parent does: also when that was killed, for the channel then closes.
import { type Config, canonicalJson } from "../config/config.js";
import { messageOf, StopError, UserError } from "../errors.js";
import { loadTask, type Task } from "../tasks/task.js";
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
  const task = taskOf(config, dataPaths);
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
  const { record, model } = await trainRun(config, variant, seed, task, onStep, checkpoint);
  if (model !== undefined) await writeModel(folder, record, model);
  await writeRecord(folder, record);
  await checkpoint.remove();
  send({ type: "finished", record });
}

/** The task of a configuration, from the first of the places that has its data. */
function taskOf(config: Config, places: readonly (string | null)[]): Task {
  const key = canonicalJson({ ...config, variants: [], seeds: [] });
  if (loaded?.key === key) return loaded.task;
  const others: string[] = [];
  for (const place of places) {
    try {
      const task = loadTask(config, place ?? undefined);
      if (task.config.data.sha256 === config.data.sha256) {
        loaded = { key, task };
        return task;
      }
      others.push(`${place ?? "what comes with the lab"} is other data`);
    } catch (thrown) {
      if (!(thrown instanceof UserError)) throw thrown;
      others.push(thrown.message);
    }
  }
  const { name, sha256 } = config.data;
  throw new StopError(
    `${name} (SHA-256 ${sha256.slice(0, 12)}) is not here: ${others.join("; ")}. Name its place with --data.`,
  );
}

function send(message: WorkerMessage): void {
  process.send?.(message);
}
