// The same model in PyTorch: one long-lived Python process for each setting of its environment.
import { fileURLToPath } from "node:url";
import { Child } from "../child.js";
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
  const script = fileURLToPath(new URL("../../pytorch/step.py", import.meta.url));
  const child = new Child(
    process.env.PYTHON ?? "python3",
    [script, JSON.stringify(config)],
    "does `python3 -c 'import torch'` work? PYTHON names another one",
    {
      OMP_NUM_THREADS: `${threads}`,
      OPENBLAS_NUM_THREADS: `${blasThreads}`,
      MKL_NUM_THREADS: `${blasThreads}`,
      ...(wait === "passive" && { OMP_WAIT_POLICY: "passive" }),
    },
  );
  const { version, ...first } = await child.read<Hello>();
  let open = 2;
  const contenders = [false, true].map(
    (foreach): Contender => ({
      name: `PyTorch, ${threads} thread${threads === 1 ? "" : "s"}, BLAS ${blasThreads}, waiting ${wait}, foreach ${foreach ? "on" : "off"}`,
      cores: Math.max(threads, blasThreads),
      first,
      async run(steps) {
        return (await child.ask<Answer>({ threads, foreach, steps })).milliseconds;
      },
      close: async () => {
        if (--open === 0) await child.end();
      },
    }),
  );
  return { version, contenders };
}
