// A side's half of a contender: opens cases and runs them when the driver says so, one message at a time, in Node as in
// a browser. pytorch/peers.py speaks the same.
import { answer, leave, messages } from "#here";
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

/** Milliseconds of turns before the first measured one; in a browser threads start only between turns. */
const warmUp = { whole: 300, turn: 100, between: 10 };

/** Answers the driver until it has no more to say, and ends this side. `open` returns a sentence for a case that this side does not do. */
export async function serve(hello: Hello, open: (task: Case) => Promise<Work | string>): Promise<void> {
  let work: Work | undefined;
  answer(hello);
  for await (const message of messages<Message>()) {
    if ("open" in message) {
      try {
        const opened = await open(message.open);
        if (typeof opened === "string") answer({ unsupported: opened } satisfies Opened);
        else {
          work = opened;
          await warm(work);
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
  leave();
}

async function warm(work: Work): Promise<void> {
  const start = performance.now();
  while (performance.now() - start < warmUp.whole) {
    await turn(work, warmUp.turn);
    await new Promise((resolve) => {
      setTimeout(resolve, warmUp.between);
    });
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

export { options } from "#here";
