// The workers of a pool, and the memory that they share with the calling thread. Publishes jobs and waits until they are done.
// Where a worker is lost in the middle of a job, the pool gives up the whole crew and starts another.
import type { KernelCall } from "../machine/engine.js";
import type { Heap } from "../machine/heap.js";
import { type Code, claim, encodeJob, finish, readText, spin, state, word } from "./protocol.js";
import type { StartedWorker, StartWorker } from "./worker-start.js";

/** How long the calling thread polls for the end of a job before it sleeps, in microseconds. */
const lookout = 50;
/** How often the sleeping thread looks for lost workers, in milliseconds. */
const watch = 50;

export interface CrewOptions {
  readonly workers: number;
  readonly start: StartWorker;
  /** Workers count as lost after this many milliseconds in which no group was finished. */
  readonly patience: number;
}

export class Crew {
  /** Why a worker could not start. */
  refused: string | undefined;
  /** Why a worker ended after it was up. */
  lost: string | undefined;
  private readonly words: Int32Array;
  private readonly workers: StartedWorker[];
  private readonly mayBlock: boolean;
  private job: { readonly address: number; readonly cells: number };

  constructor(
    private readonly heap: Heap,
    private readonly options: CrewOptions,
  ) {
    const { workers, start } = options;
    const count = word.states + workers;
    const address = heap.allocate(count);
    this.words = new Int32Array(heap.memory.buffer, address, count).fill(0);
    this.job = { address: heap.allocate(2 * 512), cells: 512 };
    this.mayBlock = mayBlock(this.words);
    this.workers = Array.from({ length: workers }, (_, index) => {
      let known = false;
      const ended = (reason: string): void => {
        // A thread that ends with an error reports twice.
        if (known) return;
        known = true;
        const before = Atomics.exchange(this.words, word.states + index, state.ended);
        if (before === state.starting) this.refused ??= reason;
        else this.lost ??= reason;
      };
      try {
        return start({ memory: heap.memory, address, count, index }, ended);
      } catch (error) {
        ended(String(error));
        return { terminate: () => undefined };
      }
    });
  }

  /** How many workers are running. The others are starting or have ended. */
  get up(): number {
    return this.states().filter((now) => now === state.idle || now === state.busy).length;
  }

  private states(): number[] {
    return this.workers.map((_, index) => Atomics.load(this.words, word.states + index));
  }

  /** Runs all groups of calls, some on workers and the rest on this thread with `run`. Returns when all are done. */
  run(
    code: Code,
    kernel: number,
    groups: readonly (readonly KernelCall[])[],
    run: (calls: readonly KernelCall[]) => void,
  ): void {
    const { words } = this;
    const first = this.publish(code, kernel, groups);
    let failure: { readonly error: unknown } | undefined;
    let slowest = 0;
    let group = claim(words);
    // Workers are woken only now, so that this thread surely has a group, and learns how long one takes.
    this.wake(groups.length - 1);
    for (; group !== undefined; group = claim(words)) {
      const begin = performance.now();
      try {
        if (Atomics.load(words, word.failed) === 0) run(groups[(group - first) | 0] ?? []);
      } catch (error) {
        Atomics.store(words, word.failed, 1);
        failure ??= { error };
      }
      finish(words);
      slowest = Math.max(slowest, performance.now() - begin);
    }
    this.wait(Math.max(this.options.patience, 10 * slowest));
    if (failure) throw failure.error;
    if (Atomics.load(words, word.failed) === 1)
      throw new Error(`a kernel failed on a worker thread: ${readText(words)}`);
  }

  /** Writes a job where the workers find it. Returns the number of its first group. */
  private publish(code: Code, kernel: number, groups: readonly (readonly KernelCall[])[]): number {
    const { words, heap } = this;
    const cells = encodeJob(code, kernel, groups);
    if (cells.length > this.job.cells) {
      const { address } = this.job;
      this.job = { address: heap.allocate(4 * cells.length), cells: 2 * cells.length };
      heap.release(address);
    }
    new Float64Array(heap.memory.buffer, this.job.address, cells.length).set(cells);
    words[word.job] = this.job.address;
    words[word.failed] = 0;
    const first = words[word.end] as number;
    words[word.first] = first;
    Atomics.store(words, word.memory, heap.memory.buffer.byteLength / 65536);
    Atomics.add(words, word.end, groups.length);
    return first;
  }

  /** Wakes up to `count` sleeping workers. Those that still poll see the new epoch by themselves. */
  private wake(count: number): void {
    Atomics.add(this.words, word.epoch, 1);
    if (Atomics.load(this.words, word.sleepers) > 0) Atomics.notify(this.words, word.epoch, count);
  }

  /** Waits until all groups are done. Throws an Error when a worker that has taken a group is lost. */
  private wait(patience: number): void {
    const { words } = this;
    const over = (): boolean => Atomics.load(words, word.done) === Atomics.load(words, word.end);
    if (spin(lookout, over)) return;
    // Time is counted in short turns, so that the time for which a whole machine was asleep counts as one turn.
    let done = Atomics.load(words, word.done);
    for (let waited = 0; waited < patience; waited += watch) {
      if (this.states().includes(state.lost)) break;
      if (this.mayBlock ? this.sleep(over) : spin(1000 * watch, over)) return;
      const before = done;
      done = Atomics.load(words, word.done);
      if (done !== before) waited = 0;
    }
    if (over()) return;
    this.lost ??= this.states().includes(state.lost) ? "it exited" : "it gave no sign of life";
    this.dispose();
    throw new Error(
      `a worker thread was lost in the middle of this call (${this.lost}), so its result is incomplete: call again, the next call starts a new one`,
    );
  }

  /** Sleeps for one turn, or until `over()` is true. Returns `over()`. */
  private sleep(over: () => boolean): boolean {
    const { words } = this;
    const until = performance.now() + watch;
    Atomics.store(words, word.waiting, 1);
    for (let left = watch; left > 0; left = until - performance.now()) {
      const done = Atomics.load(words, word.done);
      if (done === Atomics.load(words, word.end) || this.states().includes(state.lost)) break;
      Atomics.wait(words, word.done, done, left);
    }
    Atomics.store(words, word.waiting, 0);
    return over();
  }

  /** Terminates the workers. The shared words and the job stay allocated, since a worker may still read them while it ends. */
  dispose(): void {
    for (const worker of this.workers) worker.terminate();
  }
}

/** Whether this thread may sleep. Every thread may, except a browser's main thread. */
function mayBlock(words: Int32Array): boolean {
  try {
    Atomics.wait(words, word.epoch, 1, 0);
    return true;
  } catch {
    return false;
  }
}
