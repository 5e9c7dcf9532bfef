// Runs a yardstick's kernel on one thread or several at once: each on its part of the memory. The helpers are in helper.ts.
import { startHelper } from "#here";
import type { Helper } from "./here/types.js";

/** A kernel's name and, for each thread, its arguments (out, a, b, bytes or turns). */
export type Kernel = "multiply" | "copy" | "read" | "multiplyAdd";
export const kernels: readonly Kernel[] = ["multiply", "copy", "read", "multiplyAdd"];
type Call = readonly [number, number, number, number];

/** What a helper is given. */
export interface Shared {
  readonly code: Uint8Array<ArrayBuffer>;
  readonly memory: WebAssembly.Memory;
  readonly index: number;
}

/** Where in memory the threads meet: a count of calls begun and one of parts done; then each helper's call. */
export const begun = 0;
export const done = 1;
export const callOf = (index: number): number => 8 * index;

type Exports = Readonly<Record<Kernel, (...call: Call) => void>>;

export function instantiate(code: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): Exports {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  return exports as Exports;
}

/** Waits until the word is no longer `value`: awake at first, as calls follow one another closely, then asleep. */
export function waitWhile(words: Int32Array, index: number, value: number): void {
  for (let look = 0; look < awakeLooks; look++) if (Atomics.load(words, index) !== value) return;
  while (Atomics.load(words, index) === value) Atomics.wait(words, index, value);
}
const awakeLooks = 20_000;

export class Crew {
  private readonly exports: Exports;
  private readonly words: Int32Array;

  private constructor(
    code: Uint8Array<ArrayBuffer>,
    memory: WebAssembly.Memory,
    private readonly helpers: readonly Helper[],
  ) {
    this.exports = instantiate(code, memory);
    this.words = new Int32Array(memory.buffer, 0, 256);
  }

  /** Threads over a memory whose first 1,024 bytes are theirs; shared if there are several. */
  static async start(
    code: Uint8Array<ArrayBuffer>,
    memory: WebAssembly.Memory,
    threads: number,
  ): Promise<Crew> {
    const script = new URL("./helper.js", import.meta.url);
    const starting = Array.from({ length: threads - 1 }, (_, i) =>
      startHelper(script, { code, memory, index: i + 1 } satisfies Shared),
    );
    return new Crew(code, memory, await Promise.all(starting));
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
