// A whole process with threads: no work while it rests, and it ends by itself without dispose().
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("./rests.mjs", import.meta.url));

test("threads rest between calls, and the process ends by itself", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 20_000 });
  const { helpers, busyMilliseconds } = JSON.parse(stdout) as { helpers: number; busyMilliseconds: number };
  expect(helpers).toBe(1);
  // A thread that spins would show 300.
  expect(busyMilliseconds).toBeLessThan(15);
});
