// The suite on Node 24, bundled: plain and relaxed SIMD, one thread and two. Only large arrays are divided between threads,
// so that on one thread the comparison of these is enough.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleForNode } from "./bundle.js";
import { find, unless } from "./found.js";
import { declareTests, Outcome } from "./outcome.js";

const node = find("node24");
const configurations = [
  { simd: "plain", threads: 1, expected: 1, brief: true },
  { simd: "plain", threads: 2, expected: 2 },
  { simd: "relaxed", threads: 1, expected: 1, brief: true },
  { simd: "relaxed", threads: 2, expected: 2 },
] as const;

describe.runIf(node)(`Node 24${unless("node24")}`, () => {
  const outcome = new Outcome();
  let code: number | null = null;

  beforeAll(async () => {
    const file = await bundleForNode();
    const runner = spawn(node as string, [file, JSON.stringify(configurations)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [runner.stdout, runner.stderr])
      createInterface({ input: stream }).on("line", (line) => outcome.add(line));
    code = await new Promise((resolve) => runner.once("close", resolve));
  }, 120_000);

  test("the suite runs to its end", () => {
    expect(outcome.of("runtime")[0]?.agent).toMatch(/^Node\.js\/2[4-9]/);
    expect(outcome.ended, outcome.noise).toBe(true);
    expect(code).toBe(0);
  });

  declareTests(configurations, () => outcome);
});
