// The worker's program as text is what its source gives: `npx vitest run packages/swiglu/test/wasm/worker-text --update`
// writes it anew after a change.
import { fileURLToPath } from "node:url";
import { build, type Rolldown } from "vite";
import { expect, test } from "vitest";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

test("worker-text.ts holds the worker's program", async () => {
  const results = (await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      target: "es2022",
      lib: { entry: here("../../src/wasm/threads/worker.ts"), formats: ["iife"], name: "swiglu" },
    },
  })) as [Rolldown.RolldownOutput];
  const { code } = results[0].output[0];
  await expect(`// The program of worker.ts with what it imports, in one piece, for places where its file is not at hand.
// Generated: test/wasm/worker-text.test.ts says how.
export const workerText: string =
  ${JSON.stringify(code.trim())};
`).toMatchFileSnapshot(here("../../src/wasm/threads/worker-text.ts"));
});
