// The child's half of a contender: opens cases and runs them when the driver says so, one line of JSON at a time.
// pytorch/peers.py speaks the same.
import { createInterface } from "node:readline";
import type { Case } from "./cases.js";

/** One case made ready: operands in place, everything compiled. */
export interface Work {
  /** Does the case once. What it makes is dropped or written over by the next call. */
  run(): unknown;
  /** What the last call made: y, or the gradients (of gate and up; of x, gate, up and down). None for a yardstick. */
  results(): Promise<readonly Float32Array[]> | readonly Float32Array[];
  close?(): unknown;
  /** A yardstick may do less than the case: the time is multiplied by this. */
  readonly scale?: number;
}

/** What a side says of itself when it starts. */
export interface Hello {
  readonly version: string;
  readonly features?: string;
}

/** The answer to a turn. */
export interface Turn {
  /** Milliseconds of one call, the mean over the turn. */
  readonly milliseconds: number;
  readonly calls: number;
}

/** The answer to opening a case: a digest of its results, or why this side does not do it. */
export interface Opened {
  readonly unsupported?: string;
  /** For each result: the mean of its magnitudes, and three of its elements. */
  readonly digest?: readonly (readonly number[])[];
}

type Message = { readonly open: Case } | { readonly turn: number } | { readonly close: true };

const warmUp = 300;

/** Answers the driver until it closes standard input. `open` returns a sentence for a case that this side does not do. */
export async function serve(hello: Hello, open: (task: Case) => Promise<Work | string>): Promise<void> {
  const answer = (message: object): void => {
    process.stdout.write(`${JSON.stringify(message)}\n`);
  };
  let work: Work | undefined;
  answer(hello);
  for await (const line of createInterface({ input: process.stdin })) {
    const message: Message = JSON.parse(line);
    if ("open" in message) {
      try {
        const opened = await open(message.open);
        if (typeof opened === "string") answer({ unsupported: opened } satisfies Opened);
        else {
          work = opened;
          await turn(work, warmUp);
          answer({ digest: (await work.results()).map(digest) } satisfies Opened);
        }
      } catch (error) {
        answer({ unsupported: `failed: ${error instanceof Error ? error.message : String(error)}` });
      }
    } else if ("turn" in message) answer(await turn(work as Work, message.turn));
    else {
      await work?.close?.();
      work = undefined;
      answer({});
    }
  }
}

/** Calls for at least this many milliseconds, at least once. */
async function turn({ run, scale = 1 }: Work, milliseconds: number): Promise<Turn> {
  const start = performance.now();
  let calls = 0;
  let elapsed = 0;
  do {
    const pending = run();
    if (pending instanceof Promise) await pending;
    calls++;
    elapsed = performance.now() - start;
  } while (elapsed < milliseconds);
  return { milliseconds: (scale * elapsed) / calls, calls };
}

function digest(values: Float32Array): number[] {
  let sum = 0;
  for (const value of values) sum += Math.abs(value);
  const { length } = values;
  return [sum / length, ...[0, length >> 1, length - 1].map((i) => values[i]!)];
}

/** What the driver passed to a side on its command line. */
export const options: { readonly threads: number; readonly variant?: string } = JSON.parse(
  process.argv[2] ?? '{ "threads": 1 }',
);

/** TensorFlow.js and others write to the console, whose output is the driver's here. */
console.log = console.error;
