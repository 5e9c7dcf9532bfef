// The same model in PyTorch: one long-lived Python process for each setting of its environment.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Contender, FirstStep, StepConfig } from "./contender.js";

/** Settings that can only be made before PyTorch starts. */
export interface PyTorchEnvironment {
  readonly threads: number;
  /** Threads of the BLAS library, which runs its own pool beside OpenMP's. */
  readonly blasThreads: number;
  /** How OpenMP's threads wait for work. (Not "active": such threads go on spinning while the other sides are timed.) */
  readonly wait: "default" | "passive";
}

interface Hello extends FirstStep {
  readonly version: string;
}
interface Answer {
  readonly milliseconds: number[];
}

/** Starts PyTorch once and offers its two AdamW implementations, `foreach` off and on, as two contenders. */
export async function pyTorch(
  config: StepConfig,
  environment: PyTorchEnvironment,
): Promise<{ version: string; contenders: Contender[] }> {
  const { threads, blasThreads, wait } = environment;
  const script = fileURLToPath(new URL("../pytorch/step.py", import.meta.url));
  const child = spawn(process.env.PYTHON ?? "python3", [script, JSON.stringify(config)], {
    env: {
      ...process.env,
      OMP_NUM_THREADS: `${threads}`,
      OPENBLAS_NUM_THREADS: `${blasThreads}`,
      MKL_NUM_THREADS: `${blasThreads}`,
      ...(wait === "passive" && { OMP_WAIT_POLICY: "passive" }),
    },
  });
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done)
      throw new Error(
        "Python ended before it answered; does `python3 -c 'import torch'` work? PYTHON names another one",
      );
    return JSON.parse(value);
  };
  const { version, ...first } = await read<Hello>();
  let open = 2;
  const contenders = [false, true].map(
    (foreach): Contender => ({
      name: `PyTorch, ${threads} thread${threads === 1 ? "" : "s"}, BLAS ${blasThreads}, waiting ${wait}, foreach ${foreach ? "on" : "off"}`,
      cores: Math.max(threads, blasThreads),
      first,
      async run(steps) {
        child.stdin.write(`${JSON.stringify({ threads, foreach, steps })}\n`);
        return (await read<Answer>()).milliseconds;
      },
      close: async () => {
        if (--open === 0) await end(child);
      },
    }),
  );
  return { version, contenders };
}

async function end(child: ChildProcessWithoutNullStreams): Promise<void> {
  child.stdin.end();
  if (child.exitCode === null) await once(child, "exit");
}
