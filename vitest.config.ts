// One test run over all packages. Tests import other packages through their built entry points, as users do.
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { Progress } from "./scripts/progress.js";

/**
 * Files that take longest start first, so that none of them runs alone at the end; vitest would start the largest. Of the two
 * that compile most shaders one comes later and finds some of them compiled.
 */
class LongestFirst extends BaseSequencer {
  static readonly #longest = [/webgpu.(ffn|chromium)/, /conformance\.test|queue|runtimes/];

  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = LongestFirst.#longest.findIndex((pattern) => pattern.test(moduleId));
      return found < 0 ? LongestFirst.#longest.length : found;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/**
 * Files that leave nothing behind in their process run one after the other in the same one: what they import is loaded once, and
 * exact values are worked out once for all suites that ask for them. What starts threads, drivers or browsers, or changes
 * anything that all modules see, has a process of its own.
 */
const together = [
  "packages/swiglu/test/*.test.ts",
  "packages/swiglu/test/{backend,block,catalogue,conformance,expression,models,oracle,reference}/**/*.test.ts",
  "packages/swiglu/test/onnx/{accuracy,conformance,document,elements,emit,graphs,schema}.test.ts",
  "packages/lab/test/{data,metrics,statistics}/**/*.test.ts",
  "packages/lab/test/{batches,config,environment,idx,matched,presets,statistics}.test.ts",
];
const all = ["packages/*/test/**/*.test.ts", "bench/test/**/*.test.ts"];

export default defineConfig({
  test: {
    globalSetup: ["packages/swiglu/test/runtimes/found.ts"],
    reporters: [new Progress()],
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      { isolate: false, include: together, exclude: [] },
      { isolate: true, include: all, exclude: together },
    ].map((files, i) => ({
      test: {
        ...files,
        name: ["together", "apart"][i] as string,
        testTimeout: 120_000,
        hookTimeout: 120_000,
        // A machine with other work to do may take a while to end a process.
        teardownTimeout: 60_000,
        pool: "forks" as const,
        // Tests make many short-lived objects: with more room for these, a third less time goes to collecting them.
        execArgv: ["--max-semi-space-size=64"],
      },
    })),
  },
});
