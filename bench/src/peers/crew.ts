// Runs a yardstick's kernel on one thread or several at once: each on its part of the memory. This file is both sides,
// the thread that calls and its helpers.
import { fileURLToPath } from "node:url";
import { isMainThread, Worker, workerData } from "node:worker_threads";

/** A kernel's name and, for each thread, its arguments (out, a, b, bytes or turns). */
export type Kernel = "multiply" | "copy" | "read" | "multiplyAdd";
const kernels: readonly Kernel[] = ["multiply", "copy", "read", "multiplyAdd"];
type Call = readonly [number, number, number, number];

interface Shared {
  readonly code: Uint8Array<ArrayBuffer>;
  readonly memory: WebAssembly.Memory;
  readonly index: number;
}

/** Where in memory the threads meet: a count of calls begun and one of parts done; then each helper's call. */
const begun = 0;
const done = 1;
const callOf = (index: number): number => 8 * index;

type Exports = Readonly<Record<Kernel, (...call: Call) => void>>;

function instantiate(code: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): Exports {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  return exports as Exports;
}

/** Waits until the word is no longer `value`: awake at first, as calls follow one another closely, then asleep. */
function waitWhile(words: Int32Array, index: number, value: number): void {
  for (let look = 0; look < awakeLooks; look++) if (Atomics.load(words, index) !== value) return;
  while (Atomics.load(words, index) === value) Atomics.wait(words, index, value);
}
const awakeLooks = 20_000;

export class Crew {
  private readonly exports: Exports;
  private readonly words: Int32Array;
  private readonly helpers: readonly Worker[];

  /** Threads over a memory whose first 1,024 bytes are theirs; shared if there are several. */
  constructor(code: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory, threads: number) {
    this.exports = instantiate(code, memory);
    this.words = new Int32Array(memory.buffer, 0, 256);
    this.helpers = Array.from({ length: threads - 1 }, (_, i) => {
      const workerData: Shared = { code, memory, index: i + 1 };
      return new Worker(fileURLToPath(import.meta.url), { workerData });
    });
  }

  /** One call for each thread; returns when all are done. */
  run(kernel: Kernel, calls: readonly Call[]): void {
    const { words, helpers } = this;
    if (helpers.length > 0) {
      Atomics.store(words, done, 0);
      helpers.forEach((_, i) => {
        words.set([kernels.indexOf(kernel), ...(calls[i + 1] as Call)], callOf(i + 1));
      });
      Atomics.add(words, begun, 1);
      Atomics.notify(words, begun);
    }
    this.exports[kernel](...(calls[0] as Call));
    for (let parts = 0; parts < helpers.length; parts = Atomics.load(words, done))
      waitWhile(words, done, parts);
  }

  async close(): Promise<void> {
    await Promise.all(this.helpers.map((helper) => helper.terminate()));
  }
}

/** A helper's life: wait for a call, do its part, say so. */
function help({ code, memory, index }: Shared): void {
  const exports = instantiate(code, memory);
  const words = new Int32Array(memory.buffer, 0, 256);
  for (let seen = 0; ; seen++) {
    waitWhile(words, begun, seen);
    const [kernel = 0, a = 0, b = 0, c = 0, d = 0] = words.subarray(callOf(index), callOf(index) + 5);
    exports[kernels[kernel] as Kernel](a, b, c, d);
    Atomics.add(words, done, 1);
    Atomics.notify(words, done);
  }
}

if (!isMainThread) help(workerData as Shared);
