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
  /** Waits for what calls have only begun, where they return before their work is done: on a GPU. */
  settle?(): Promise<unknown>;
  /** How long a device itself works, beside what its calls take. */
  readonly clock?: DeviceClock | undefined;
  /** A yardstick may do less than the case: the time is multiplied by this. */
  readonly scale?: number;
}

/** Measures inside a device: `stop` tells for how many milliseconds it worked since `start`. */
export interface DeviceClock {
  start(): void;
  stop(): Promise<number>;
}

/** What a side says of itself when it starts. */
export interface Hello {
  readonly version: string;
  readonly features?: string;
  /** How far results may be from others', in mean magnitudes; by default 0.001. */
  readonly tolerance?: number;
  /** The GPU that it computes on, if it does. */
  readonly adapter?: Adapter;
}

/** A GPU, or software that stands in for one. */
export interface Adapter {
  readonly name: string;
  readonly software: boolean;
}

/** The answer to a turn. */
export interface Turn {
  /** Milliseconds of one call, the mean over the turn. */
  readonly milliseconds: number;
  readonly calls: number;
  /** Milliseconds of one call inside the device, where it has a clock. */
  readonly device?: number;
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
          begunAtOnce = 1;
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
    await timed(work, warmUp.turn);
    await new Promise((resolve) => {
      setTimeout(resolve, warmUp.between);
    });
  }
}

/** Calls that are begun before a turn waits for them, as many as the turn before had time for; 1 where calls do not settle. */
let begunAtOnce = 1;
/** More would hold more memory than a GPU may have. */
const mostAtOnce = 64;

async function turn(work: Work, milliseconds: number): Promise<Turn> {
  const { clock, scale = 1 } = work;
  const taken = await timed(work, milliseconds);
  return clock ? { ...taken, device: scale * (await inside(work, clock)) } : taken;
}

/** Calls for at least this many milliseconds, at least once. */
async function timed(work: Work, milliseconds: number): Promise<Turn> {
  const start = performance.now();
  let calls = 0;
  let elapsed = 0;
  do {
    await callAndSettle(work, begunAtOnce);
    calls += begunAtOnce;
    elapsed = performance.now() - start;
  } while (elapsed < milliseconds);
  const one = elapsed / calls;
  if (work.settle) begunAtOnce = Math.max(1, Math.min(mostAtOnce, Math.floor(milliseconds / one)));
  return { milliseconds: (work.scale ?? 1) * one, calls };
}

async function callAndSettle({ run, settle }: Work, calls: number): Promise<void> {
  for (let i = 0; i < calls; i++) {
    const pending = run();
    if (pending instanceof Promise) await pending;
  }
  await settle?.();
}

/** Milliseconds of a call by the device's own clock. Apart from the turn, since such a clock may slow it. */
async function inside(work: Work, clock: DeviceClock): Promise<number> {
  const calls = Math.min(begunAtOnce, 4);
  clock.start();
  await callAndSettle(work, calls);
  return (await clock.stop()) / calls;
}

function digest(values: Float32Array): number[] {
  let sum = 0;
  for (const value of values) sum += Math.abs(value);
  const { length } = values;
  return [sum / length, ...[0, length >> 1, length - 1].map((i) => values[i]!)];
}

export { options } from "#here";
