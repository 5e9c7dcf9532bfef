// One test run over all packages. Tests import other packages through their built entry points, as users do.
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { Progress } from "./scripts/progress.js";

/** Threads load files by themselves, not what the test runner makes of sources: they get the built ones. */
const builtWorkers = {
  name: "built-workers",
  enforce: "pre" as const,
  transform: (code: string, file: string): string | undefined =>
    file.endsWith("/src/wasm/threads/worker-start.ts")
      ? code.replaceAll('"./worker.js"', '"../../../dist/wasm/threads/worker.js"')
      : undefined,
};

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

export default defineConfig({
  plugins: [builtWorkers],
  test: {
    include: ["packages/*/test/**/*.test.ts", "bench/test/**/*.test.ts"],
    exclude: ["**/frozen/**"], // npm run check:frozen
    globalSetup: ["packages/swiglu/test/runtimes/found.ts"],
    reporters: [new Progress()],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A machine with other work to do may take a while to end a process.
    teardownTimeout: 60_000,
    pool: "forks",
    // Tests make many short-lived objects: with more room for these, a third less time goes to collecting them.
    execArgv: ["--max-semi-space-size=64"],
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
