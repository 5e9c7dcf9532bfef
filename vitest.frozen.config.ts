// What a change of shape must not change (npm run check:frozen): fingerprints of generated code, files and records.
import { defineConfig } from "vitest/config";
import { builtWorkers } from "./vitest.config.js";

export default defineConfig({
  plugins: [builtWorkers],
  test: {
    include: ["packages/*/test/frozen/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 900_000,
  },
});
