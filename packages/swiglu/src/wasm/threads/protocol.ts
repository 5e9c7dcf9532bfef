// What the calling thread and its workers agree on: some shared words, and how a job is written into shared memory.
// A running worker never reads messages, since it sleeps in Atomics.wait. So everything passes through this memory.
import type { KernelCall } from "../machine/engine.js";

/** What a worker receives when it starts. */
export interface Post {
  readonly memory: WebAssembly.Memory;
  /** Where the shared words begin, in bytes, and how many there are. */
  readonly address: number;
  readonly count: number;
  /** Which worker this is, from 0. */
  readonly index: number;
}

/**
 * The places of the shared words, each an i32. The numbers of groups continue from job to job, so that a thread that wakes late
 * never mistakes a group of one job for that of another: `next` is the first group that nobody has taken, `end` the first that
 * does not exist yet. Words that change often have a cache line of their own.
 */
export const word = {
  /** Increases with every job. Idle workers wait for that. */
  epoch: 0,
  /** How many workers sleep. */
  sleepers: 1,
  end: 2,
  /** The number of the job's first group. */
  first: 3,
  /** The address of the job. */
  job: 4,
  /** The pages that the memory has at least. */
  memory: 5,
  /** 1 once a kernel of this job has failed on any thread. */
  failed: 6,
  /** What a worker says about the failure: the number of letters, then the letters. */
  text: 7,
  next: 128,
  /** How many groups are finished, over all jobs. The calling thread waits for it to reach `end`. */
  done: 144,
  /** 1 while the calling thread sleeps. */
  waiting: 145,
  /** One word for each worker; see `state`. */
  states: 160,
} as const;

/** The longest text of a failure. */
const longestText = word.next - word.text - 1;

/** What a worker is doing. A worker that ended in the middle of a group is `lost`. */
export const state = { starting: 0, idle: 1, busy: 2, ended: 3, lost: 4 } as const;

/** Takes the next group of the current job. Returns undefined where none is left. */
export function claim(words: Int32Array): number | undefined {
  for (;;) {
    const group = Atomics.load(words, word.next);
    if (group === Atomics.load(words, word.end)) return undefined;
    if (Atomics.compareExchange(words, word.next, group, (group + 1) | 0) === group) return group;
  }
}

/** Reports a group as finished. */
export function finish(words: Int32Array): void {
  Atomics.add(words, word.done, 1);
  if (Atomics.load(words, word.waiting) === 1) Atomics.notify(words, word.done);
}

/** Polls `over` for some microseconds. Returns whether it became true. */
export function spin(microseconds: number, over: () => boolean): boolean {
  const until = performance.now() + microseconds / 1000;
  do {
    for (let i = 0; i < 32; i++) if (over()) return true;
  } while (performance.now() < until);
  return false;
}

export function writeText(words: Int32Array, text: string): void {
  const letters = [...text].slice(0, longestText).map((letter) => letter.codePointAt(0) as number);
  words[word.text] = letters.length;
  words.set(letters, word.text + 1);
}

export function readText(words: Int32Array): string {
  return String.fromCodePoint(...words.slice(word.text + 1, word.text + 1 + (words[word.text] as number)));
}

/** A module's bytes in shared memory. The address identifies the module. */
export interface Code {
  readonly address: number;
  readonly bytes: number;
}

/**
 * Where each part of a job is. A job is a row of float64 numbers, which can hold every i32 and every f32:
 *
 *     code, codeBytes, kernel, width, begins[0 ... groups], arguments of all calls, `width` for each
 *
 * The calls of group g are the numbers from begins[g] to begins[g + 1].
 */
const cell = { code: 0, codeBytes: 1, kernel: 2, width: 3, begins: 4 } as const;

/** Writes a job as numbers. `kernel` is the index of the kernel among the exports of the module. */
export function encodeJob(
  code: Code,
  kernel: number,
  groups: readonly (readonly KernelCall[])[],
): readonly number[] {
  const width = groups.find((group) => group.length > 0)?.[0]?.length ?? 0;
  const begins = [cell.begins + groups.length + 1];
  for (const group of groups) begins.push((begins.at(-1) as number) + group.length * width);
  return [code.address, code.bytes, kernel, width, ...begins, ...groups.flat(2)];
}

/** Reads one group of the job at an address. */
export function decodeGroup(
  memory: WebAssembly.Memory,
  address: number,
  group: number,
): { readonly code: Code; readonly kernel: number; readonly calls: readonly KernelCall[] } {
  const cells = new Float64Array(memory.buffer, address);
  const at = (index: number): number => cells[index] as number;
  const width = at(cell.width);
  const [begin, end] = [at(cell.begins + group), at(cell.begins + group + 1)];
  return {
    code: { address: at(cell.code), bytes: at(cell.codeBytes) },
    kernel: at(cell.kernel),
    calls: Array.from({ length: width > 0 ? (end - begin) / width : 0 }, (_, call) =>
      Array.from(cells.subarray(begin + call * width, begin + (call + 1) * width)),
    ),
  };
}
