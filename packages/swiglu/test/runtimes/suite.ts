// The conformance suite as one program that runs in any JavaScript runtime and reports in lines: in Node 24, in a page.
import { activations, wasm } from "../../src/index.js";
import type { Simd } from "../../src/wasm/machine/features.js";
import { conformanceCases } from "../conformance/index.js";
import { expectSameResults } from "../wasm/same-results.js";
import { attempt, type Report } from "./lines.js";

/** One way to run the backend; by default it chooses itself. */
export interface Configuration {
  readonly simd?: Simd;
  readonly threads?: number;
  /** Only the comparison of large arrays. */
  readonly brief?: boolean;
}

export const nameOf = ({ simd, threads }: Configuration): string =>
  `${simd ?? "best"} SIMD, ${threads ?? "default"} thread${threads === 1 ? "" : "s"}`;

/** The name of the case that only the suite itself has: arrays large enough for several threads. */
const divided = "large arrays give what one thread gives";

const casesOf = ({ brief = false }: Configuration) => (brief ? [] : conformanceCases());

/** The names of the cases that the suite runs under a configuration. */
export const caseNames = (configuration: Configuration): string[] => [
  divided,
  ...casesOf(configuration).map(({ name }) => name),
];

/** Lets workers start, which in a browser they cannot while its main thread is busy. */
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

/** Runs all cases under all configurations. */
export async function runSuite(configurations: readonly Configuration[], report: Report): Promise<void> {
  const { crossOriginIsolated, navigator } = globalThis as {
    crossOriginIsolated?: boolean;
    navigator?: { userAgent?: string };
  };
  report({ kind: "runtime", agent: navigator?.userAgent ?? "", crossOriginIsolated });
  for (const asked of configurations) await runConfiguration(asked, report);
  report({ kind: "end" });
}

async function runConfiguration(asked: Configuration, report: Report): Promise<void> {
  const { brief: _, ...options } = asked;
  const configuration = nameOf(asked);
  try {
    const backend = await wasm(options);
    const single = await wasm({ ...options, threads: 1 });
    const engine: { readonly helpers?: number } = Reflect.get(Reflect.get(backend, "parts"), "engine");
    // The first comparisons start the workers (or fail where they cannot start), the last one uses them.
    const comparison = async (): Promise<void> => {
      for (let turn = 0; turn < 200 && engine.helpers === 0 && backend.threads > 1; turn++) {
        expectSameResults(single, backend, [activations.swiglu]);
        await pause(20);
      }
      expectSameResults(single, backend);
    };
    await attempt(report, configuration, { name: divided, run: comparison });
    for (const { name, run } of casesOf(asked))
      await attempt(report, configuration, { name, run: () => run(backend) });
    report({ kind: "backend", configuration, threads: backend.threads, helpers: engine.helpers ?? 0 });
    backend.dispose();
    single.dispose();
  } catch (error) {
    report({ kind: "refused", configuration, error: String(error) });
  }
}
