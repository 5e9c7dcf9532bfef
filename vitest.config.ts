// One test run over all packages. Tests import other packages through their built entry points, as users do.
import { defineConfig } from "vitest/config";

/** Threads load files by themselves, not what the test runner makes of sources: they get the built ones. */
const builtWorkers = {
  name: "built-workers",
  enforce: "pre" as const,
  transform: (code: string, file: string): string | undefined =>
    file.endsWith("/src/wasm/worker-start.ts")
      ? code.replaceAll('"./worker.js"', '"../../dist/wasm/worker.js"')
      : undefined,
};

export default defineConfig({
  plugins: [builtWorkers],
  test: {
    include: ["packages/*/test/**/*.test.ts", "bench/test/**/*.test.ts"],
    globalSetup: ["packages/swiglu/test/runtimes/found.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 3,
  },
});
