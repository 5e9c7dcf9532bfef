// A worker thread: computes groups of the pool's jobs until it is terminated, and sleeps between jobs.
// Bundlers find this file in `new Worker(new URL("./worker.js", import.meta.url))`. worker-text.ts has it as one text.
import { nodeModule } from "../../host/node.js";
import { instantiate, type KernelFunction } from "../machine/instantiate.js";
import {
  type Code,
  claim,
  decodeGroup,
  finish,
  type Post,
  spin,
  state,
  word,
  writeText,
} from "./protocol.js";

/** How long a worker polls for the next job before it sleeps, in microseconds. */
const lookout = 30;

/** Computes groups for ever. */
function serve({ memory, address, count, index }: Post): void {
  const words = new Int32Array(memory.buffer, address, count);
  const mine = word.states + index;
  const modules = new Map<number, readonly KernelFunction[]>();

  /** The kernels of a module, compiled when they are first needed. */
  const kernelsOf = (code: Code): readonly KernelFunction[] => {
    const known = modules.get(code.address);
    if (known !== undefined) return known;
    // The bytes are copied, since engines do not compile from shared memory.
    const bytes = Uint8Array.from(new Uint8Array(memory.buffer, code.address, code.bytes));
    const kernels = Object.values(instantiate(bytes, memory));
    modules.set(code.address, kernels);
    return kernels;
  };

  const run = (group: number): void => {
    // When the memory has grown, an engine may show the new size to other threads a moment later.
    while (memory.buffer.byteLength < Atomics.load(words, word.memory) * 65536);
    const job = decodeGroup(
      memory,
      (words[word.job] as number) >>> 0,
      (group - (words[word.first] as number)) | 0,
    );
    const kernel = kernelsOf(job.code)[job.kernel] as KernelFunction;
    for (const call of job.calls) kernel(...call);
  };

  nodeModule<NodeProcess>("node:process")?.once("exit", () => {
    const lost = Atomics.load(words, mine) === state.busy;
    Atomics.store(words, mine, lost ? state.lost : state.ended);
    Atomics.notify(words, word.done);
  });

  Atomics.store(words, mine, state.idle);
  for (;;) {
    const epoch = Atomics.load(words, word.epoch);
    for (let group = claim(words); group !== undefined; group = claim(words)) {
      Atomics.store(words, mine, state.busy);
      try {
        if (Atomics.load(words, word.failed) === 0) run(group);
      } catch (error) {
        if (Atomics.exchange(words, word.failed, 1) === 0) writeText(words, String(error));
      }
      Atomics.store(words, mine, state.idle);
      finish(words);
    }
    if (spin(lookout, () => Atomics.load(words, word.epoch) !== epoch)) continue;
    Atomics.add(words, word.sleepers, 1);
    Atomics.wait(words, word.epoch, epoch);
    Atomics.sub(words, word.sleepers, 1);
  }
}

interface NodeProcess {
  once(event: "exit", listener: () => void): void;
}

const given = nodeModule<{ workerData: Post | null }>("node:worker_threads")?.workerData;
if (given) serve(given);
else globalThis.addEventListener("message", ({ data }: MessageEvent<Post>) => serve(data), { once: true });
