// A worker process: trains the jobs it is sent, one after the other, writes each record itself and reports over IPC.
// It ends when its parent does: also when that was killed, for the channel then closes.
import { type ImageSet, loadImageSet } from "../data/imageSet.js";
import { messageOf } from "../errors.js";
import { writeModel, writeRecord } from "./folder.js";
import type { Job, WorkerMessage } from "./job.js";
import { trainRun } from "./train.js";

/** At most this often, in milliseconds, a step is reported. */
const REPORT_INTERVAL = 100;

let data: ImageSet | undefined;

process.on("disconnect", () => process.exit(0));
process.on("SIGINT", () => {}); // Ctrl-C reaches the whole process group: the parent decides
process.on("SIGTERM", () => process.exit(0));
process.on("message", (job: Job) => {
  runJob(job).catch((thrown: unknown) => send({ type: "failed", message: messageOf(thrown) }));
});

async function runJob({ variant, seed, config, dataDirectory, folder }: Job): Promise<void> {
  data ??= loadImageSet(dataDirectory);
  if (data.sha256 !== config.data.sha256)
    throw new Error(`the images in ${dataDirectory} have changed meanwhile`);
  let reported = 0;
  const { record, model } = await trainRun(config, variant, seed, data, (step, loss) => {
    const now = performance.now();
    if (now - reported < REPORT_INTERVAL) return;
    reported = now;
    send({ type: "progress", step, loss });
  });
  if (model !== undefined) await writeModel(folder, record, model);
  await writeRecord(folder, record);
  send({ type: "finished", record });
}

function send(message: WorkerMessage): void {
  process.send?.(message);
}
