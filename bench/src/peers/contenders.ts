// Who takes part: every side as a long-lived process, in every Node it is measured in, with one thread and with two.
import { fileURLToPath } from "node:url";
import { Child } from "../child.js";
import type { NodeVersion } from "../nodes.js";
import type { Case } from "./cases.js";
import type { Hello, Opened, Turn } from "./serve.js";

/** Which process a row of a table comes from. */
export interface Identity {
  /** The name of its rows, such as `onnxruntime-web`. */
  readonly name: string;
  /** The column: a Node version, or `native`. */
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
    private readonly child: Child,
  ) {}

  static async start(identity: Identity, child: Child): Promise<Contender> {
    return new Contender(identity, await child.read<Hello>(), child);
  }

  open(task: Case): Promise<Opened> {
    return this.child.ask({ open: task });
  }
  turn(milliseconds: number): Promise<Turn> {
    return this.child.ask({ turn: milliseconds });
  }
  async close(): Promise<void> {
    await this.child.ask({ close: true });
  }
  end(): Promise<void> {
    return this.child.end();
  }
}

interface Side {
  readonly name: string;
  readonly script: string;
  readonly variant?: string;
  readonly role: Identity["role"];
  readonly threads: readonly number[];
}

const both = [1, 2];
const sides: readonly Side[] = [
  { name: "swiglu, plain SIMD", script: "ours", variant: "plain", role: "ours", threads: both },
  { name: "swiglu, relaxed SIMD", script: "ours", variant: "relaxed", role: "ours", threads: both },
  { name: "tfjs-wasm", script: "tfjs", role: "peer", threads: [1] },
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
];

const scriptPath = (script: string): string =>
  fileURLToPath(new URL(`./sides/${script}.js`, import.meta.url));

/** Starts everybody. One that cannot start here is left out with a line that says so. */
export async function startContenders(nodes: readonly NodeVersion[]): Promise<Contender[]> {
  const plans: { identity: Identity; command: string; script: string; options: object }[] = [];
  for (const { label, command } of nodes)
    for (const { name, script, variant, role, threads } of sides)
      for (const count of threads)
        plans.push({
          identity: { name, column: label, threads: count, role },
          command,
          script: scriptPath(script),
          options: { threads: count, variant },
        });
  for (const threads of both) {
    const identity = { column: "native", threads, role: "peer" } as const;
    plans.push({
      identity: { name: "onnxruntime-node", ...identity },
      command: nodes.at(-1)!.command,
      script: scriptPath("onnxruntime-node"),
      options: { threads },
    });
    plans.push({
      identity: { name: "PyTorch", ...identity },
      command: process.env.PYTHON ?? "python3",
      script: fileURLToPath(new URL("../../pytorch/peers.py", import.meta.url)),
      options: { threads },
    });
  }
  const started: Contender[] = [];
  for (const { identity, command, script, options } of plans) {
    const environment = {
      OMP_NUM_THREADS: `${identity.threads}`,
      OPENBLAS_NUM_THREADS: `${identity.threads}`,
      OMP_WAIT_POLICY: "passive",
    };
    const hint = "it is left out";
    const child = new Child(command, [script, JSON.stringify(options)], hint, environment);
    try {
      started.push(await Contender.start(identity, child));
    } catch (error) {
      console.error(`${describe(identity)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return started;
}

export const describe = ({ name, column, threads }: Identity): string =>
  `${name} (${column}, ${threads} thread${threads === 1 ? "" : "s"})`;
