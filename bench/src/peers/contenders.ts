// Who takes part: every side, alive all the time, in every place it is measured in, with one thread and with two.
import type { Case } from "./cases.js";
import { native, type Partner, type Place } from "./places.js";
import type { Hello, Opened, Turn } from "./serve.js";

/** Which contender a row of a table comes from. */
export interface Identity {
  /** The name of its rows, such as `onnxruntime-web`. */
  readonly name: string;
  /** The column: where it runs. */
  readonly column: string;
  readonly threads: number;
  /** Ours, what others offer, or what the machine can do. */
  readonly role: "ours" | "peer" | "yardstick";
}

/** A running contender; tasks are opened, run in turns and closed. */
export class Contender {
  private constructor(
    readonly identity: Identity,
    readonly hello: Hello,
    private readonly partner: Partner,
  ) {}

  static async start(identity: Identity, partner: Partner): Promise<Contender> {
    return new Contender(identity, await partner.read<Hello>(), partner);
  }

  /** Opens a case; one whose process ends over it fails this case, and all after it. */
  async open(task: Case): Promise<Opened> {
    try {
      return await this.partner.ask<Opened>({ open: task });
    } catch (error) {
      return { unsupported: `failed: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  turn(milliseconds: number): Promise<Turn> {
    return this.partner.ask({ turn: milliseconds });
  }
  async close(): Promise<void> {
    await this.partner.ask({ close: true });
  }
  end(): Promise<void> {
    return this.partner.end();
  }
}

/** A contender to be, and where it is. */
export interface Side {
  readonly name: string;
  readonly script: string;
  readonly variant?: string;
  readonly role: Identity["role"];
  readonly threads: readonly number[];
  /** The one column that it is in; all but `native` if left out. */
  readonly column?: string;
}

const both = [1, 2];
export const onCpu: readonly Side[] = [
  { name: "swiglu, plain SIMD", script: "ours", variant: "plain", role: "ours", threads: both },
  { name: "swiglu, relaxed SIMD", script: "ours", variant: "relaxed", role: "ours", threads: both },
  { name: "tfjs-wasm", script: "tfjs", role: "peer", threads: [1] },
  // Its threads are those of browsers only.
  { name: "tfjs-wasm", script: "tfjs", role: "peer", threads: [2], column: "Chromium" },
  { name: "tfjs-wasm, tf.grads", script: "tfjs", variant: "grads", role: "peer", threads: [1] },
  { name: "onnxruntime-web", script: "onnxruntime-web", role: "peer", threads: both },
  { name: "jax-js", script: "jax", role: "peer", threads: [1] },
  { name: "bare multiply", script: "yardstick", variant: "multiply", role: "yardstick", threads: both },
  { name: "copy", script: "yardstick", variant: "copy", role: "yardstick", threads: both },
  {
    name: "bare multiply-adds",
    script: "yardstick",
    variant: "multiplyAdd",
    role: "yardstick",
    threads: both,
  },
  { name: "read of the weights", script: "yardstick", variant: "read", role: "yardstick", threads: both },
  { name: "onnxruntime-node", script: "onnxruntime-node", role: "peer", threads: both, column: native },
  { name: "PyTorch", script: "pytorch", role: "peer", threads: both, column: native },
];

const isIn = ({ column }: Side, { label }: Place): boolean =>
  column === undefined ? label !== native : label === column;

const tell = (identity: Identity, reason: string): void => console.error(`${describe(identity)}: ${reason}`);

/** Starts everybody. `refused` hears of one that cannot start here, which is left out; by default a line says so. */
export async function startContenders(
  sides: readonly Side[],
  places: readonly Place[],
  refused: (identity: Identity, reason: string) => void = tell,
): Promise<Contender[]> {
  const started: Contender[] = [];
  for (const place of places)
    for (const side of sides.filter((each) => isIn(each, place)))
      for (const threads of side.threads) {
        const { name, role, script, variant } = side;
        const identity = { name, column: place.label, threads, role };
        try {
          const options = { threads, ...(variant === undefined ? {} : { variant }) };
          started.push(await Contender.start(identity, await place.start(script, options)));
        } catch (error) {
          refused(identity, error instanceof Error ? error.message : String(error));
        }
      }
  return started;
}

export const describe = ({ name, column, threads }: Identity): string =>
  `${name} (${column}${threads === 1 ? "" : `, ${threads} threads`})`;
