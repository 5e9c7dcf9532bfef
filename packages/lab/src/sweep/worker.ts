// A worker process: trains the jobs it is sent, one after the other, writes each record itself and reports over IPC.
// It ends when its parent does: also when that was killed, for the channel then closes.
import { messageOf } from "../errors.js";
import { loadTask, type Task } from "../tasks/task.js";
import { DiskFullError } from "./atomic.js";
import { CheckpointFile } from "./checkpoint.js";
import { checkpointPath, writeModel, writeRecord } from "./folder.js";
import type { Job, WorkerMessage } from "./job.js";
import { trainRun } from "./train.js";

/** At most this often, in milliseconds, a step is reported. */
const REPORT_INTERVAL = 100;

let task: Task | undefined;

process.on("disconnect", () => process.exit(0));
process.on("SIGINT", () => {}); // Ctrl-C reaches the whole process group: the parent decides
process.on("SIGTERM", () => process.exit(0));
process.on("message", (job: Job) => {
  runJob(job).catch((thrown: unknown) =>
    send({ type: "failed", message: messageOf(thrown), full: thrown instanceof DiskFullError }),
  );
});

async function runJob(job: Job): Promise<void> {
  const { variant, seed, config, dataPath, folder, checkpointInterval } = job;
  task ??= loadTask(config, dataPath);
  if (task.config.data.sha256 !== config.data.sha256)
    throw new Error(`the data in ${dataPath ?? "the installed package"} have changed meanwhile`);
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

function send(message: WorkerMessage): void {
  process.send?.(message);
}
