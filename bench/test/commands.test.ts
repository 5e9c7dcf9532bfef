// The measurements as commands: each has its help, refuses what it does not know, and the shortest of them runs to its end.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const folder = fileURLToPath(new URL("..", import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

/** A machine on which nothing is that a measurement could look for: options are read before it looks. */
const bare = { PATH: "", NODE24: "none", CHROMIUM: "none", REDIS_SERVER: "none", PYTHON: "none" };

/** Runs a script of package.json; `code` is its exit code. */
async function run(script: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const [, file = ""] = scripts[script]?.split(" ") ?? [];
  const ended = promisify(execFile)(process.execPath, [file, ...args], { cwd: folder, env: bare });
  return ended.then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ code, output: stdout + stderr }),
  );
}

describe.each(Object.keys(scripts))("%s", (script) => {
  test("--help names the command and its options", async () => {
    const { code, output } = await run(script, "--help");
    expect(code).toBe(0);
    expect(output).toContain(`Usage: npm run ${script} -w bench -- [options]`);
  });

  test("an option that it does not have is one sentence and exit code 1", async () => {
    const { code, output } = await run(script, "--nothing");
    expect(code).toBe(1);
    expect(output).toBe("error: unknown option '--nothing'\n(--help says what there is)\n");
  });
});

test("a number that is none, a case and a size that there are not, each get a sentence", async () => {
  expect((await run("bench:ort", "--rounds", "0")).output).toContain("Expected a whole number from 1.");
  expect((await run("bench:ort", "--only", "moon")).output).toMatch(
    /^error: --only is "moon", which is in no case's name; there are forward 2\^16, /,
  );
  expect((await run("bench:webgpu", "--size", "1e6")).output).toContain('It has "1e6", expected');
});

test("accuracy checks a function to the end and writes what it found", async () => {
  const scratch = mkdtempSync(join(tmpdir(), "swiglu-accuracy-"));
  try {
    const out = join(scratch, "accuracy");
    const { code, output } = await run("accuracy", "silu", "--stride", "10000019", "--out", out);
    expect(output).toContain("silu: done");
    expect(code).toBe(0);
    expect(readFileSync(`${out}.md`, "utf8")).toContain(
      "| silu | value | every 10000019th of the 2^32 values |",
    );
  } finally {
    rmSync(scratch, { recursive: true });
  }
});
