// What reaches the terminal: no text of others steers it, a full disk and a closed pipe end in a sentence and the right exit
// code, and a long run in a pipe is not silent.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeLoad, describeWaiting } from "../src/statistics/load.js";
import { harmless, harmlessLine } from "../src/terminal/output.js";
import { Tenths } from "../src/terminal/tenths.js";
import { CLI, eventually, run, runCli } from "./cli.js";
import { tinyModel, writeImageSet } from "./idx-files.js";
import { finished } from "./records.js";
import { hasRedis, startRedis, unlessRedis } from "./redis.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-output-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A reader of one line; the exit code is that of the command before. */
const READER = "| head -1; exit $PIPESTATUS";

/** Everything that a terminal may take for more than text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

describe("foreign text", () => {
  test("is harmless, whatever the character; what is printable stays", () => {
    for (let code = 0; code < 0x3000; code++) {
      const character = String.fromCharCode(code);
      expect(harmless(character), `U+${code.toString(16)}`).not.toMatch(STEERING);
    }
    const printable = "swiglu\tâ — ç 漢字 😀\nnext";
    expect(harmless(printable)).toBe(printable);
    expect(harmless("\u001b]0;title\u0007\u001b[1mx")).toBe("\\u001b]0;title\\u0007\\u001b[1mx"); // no terminal: no bold
    expect(harmlessLine("one\nerror: two")).toBe("one\\nerror: two");
  });

  test("has one way to the terminal: no other file writes to it", () => {
    const source = new URL("../src/", import.meta.url);
    const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".ts"),
    );
    expect(files.length).toBeGreaterThan(100);
    const writers = files.filter((name) =>
      /process\.std(out|err)|console\.|createLogUpdate/.test(readFileSync(new URL(name, source), "utf8")),
    );
    expect(writers).toEqual(["terminal/output.ts", "terminal/panel.ts"]);
  });

  test("of files, folders, languages, sources and options does not reach it raw", async () => {
    const codes = "\u001b[31m\u0007\u009b2J\r";
    const data = join(scratch, `rows${codes}`);
    writeImageSet(data);
    const tiny = [...tinyModel, "--batch", "16", "--steps", "2", "--variants", "relu", "--seeds", "1"];
    const images = ["compare", "--data", data, ...tiny, "--out", `out${codes}`];
    const pairs = join(scratch, "pairs.tsv");
    const line = (i: number): string =>
      `source ${i} of ${i * i}\ttarget ${i}\tl${codes.replace("\r", "")}${i % 2}`;
    writeFileSync(pairs, Array.from({ length: 200 }, (_, i) => line(i)).join("\n"));
    const own = { name: "mine", kind: "unary", expression: ["tanh", "x"], source: `me${codes}` };
    writeFileSync(join(scratch, "mine.json"), JSON.stringify(own));
    const network = "--width 8 --depth 1 --heads 2 --batch 4 --steps 1 --variants relu --seeds 1".split(" ");
    const translation = [
      "compare",
      "--task",
      "translation",
      "--data",
      pairs,
      ...network,
      "--translated",
      "1",
    ];
    const calls: [string, string[], number][] = [
      ["rows", images, 0],
      ["languages", translation, 0],
      ["me", ["show", "mine", "--activation", "mine.json"], 0],
      ["option", ["compare", `--option${codes}`], 1],
      ["there is no activation", ["show", `x${codes}`], 1],
      ["could not be read", ["show", "mine", "--activation", `mine${codes}.json`], 1],
    ];
    for (const [what, args, expected] of calls) {
      const { code, stdout, stderr } = await runCli(args, scratch);
      expect([code, what, stdout + stderr]).toEqual([expected, what, expect.stringContaining(what)]);
      expect(stdout + stderr, what).not.toMatch(STEERING);
      expect(stdout + stderr, what).toContain("\\u001b");
    }
  });

  test("that is endless is cut in messages", async () => {
    const name = "x".repeat(100_000);
    const { code, stderr } = await runCli(["show", name], scratch);
    expect([code, stderr.length < 500, stderr]).toEqual([
      1,
      true,
      expect.stringContaining("(100000 characters)"),
    ]);
  });
});

describe("an output that cannot be written", () => {
  const data = join(scratch, "rows");
  const compare = ["compare", "--data", data, ...tinyModel, "--batch", "16", "--steps", "4000"];
  compare.push("--variants", "relu,swiglu", "--seeds", "2");
  beforeAll(() => writeImageSet(data));

  const redirected = (redirection: string, args: readonly string[]) =>
    run("bash", ["-c", `"$@" ${redirection}`, "bash", process.execPath, CLI, ...args], scratch);

  test.each([["list"], ["show swiglu"], ["--help"], ["compare --help"], ["probe --shapes"]])(
    "%s to a full disk: a sentence and exit code 1; to a reader that has seen enough: neither",
    async (command) => {
      const full = await redirected("> /dev/full", command.split(" "));
      expect([full.code, full.stderr]).toEqual([
        1,
        "error: the output cannot be written, for the disk is full: what was to be printed is not whole.\n",
      ]);
      const piped = await redirected(READER, command.split(" "));
      expect([piped.code, piped.stderr]).toEqual([0, ""]);
    },
  );

  test.each([
    ["compare", "> /dev/full", 1, "the disk is full"],
    ["compare", READER, 141, "nobody reads it any more"],
    ["probe", "> /dev/full", 1, "the disk is full"],
  ])("%s %s stops in good order with exit code %i", async (command, redirection, expected, reason) => {
    const out = `lost-${command}-${expected}`;
    const { code, stderr } = await redirected(redirection, [command, ...compare.slice(1), "--out", out]);
    expect(stderr).toBe(
      `error: the output cannot be written, for ${reason}: what was in hand is given up, what is recorded is kept; ` +
        "start again with the same options to do the rest.\n",
    );
    expect(code).toBe(expected);
    const folder = join(scratch, out, ...(command === "probe" ? ["probe"] : []));
    const records = join(folder, readdirSync(folder)[0]!, "records");
    expect(await eventually(() => !readdirSync(records).some((name) => name.endsWith(".claim")), 5)).toBe(
      true,
    );
  });

  test.skipIf(!hasRedis)(`worker > /dev/full stops with exit code 1${unlessRedis}`, async () => {
    mkdirSync(join(scratch, "redis"));
    const redis = await startRedis(join(scratch, "redis"));
    try {
      const { code, stderr } = await redirected("> /dev/full", ["worker", `redis://127.0.0.1:${redis.port}`]);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^error: the output cannot be written, for the disk/),
      ]);
    } finally {
      await redis.stop();
    }
  });

  test("errors that nobody can read leave the exit code", async () => {
    expect((await redirected("2> /dev/full", ["show", "nothing"])).code).toBe(1);
  });
});

describe("in a pipe", () => {
  const relu = { variant: "relu", seed: 1 };
  let now = 0;
  const lines = (steps: number, secondsPerStep: number, from = 0): string[] => {
    now = 0;
    const tenths = new Tenths(() => now);
    tenths.begin(relu, steps);
    tenths.resume(relu, from);
    return Array.from({ length: steps - from }, (_, i) => from + i + 1).flatMap((step) => {
      now += 1000 * secondsPerStep;
      const line = tenths.lineAt(relu, step, 2 - step / steps);
      if (line === undefined) return [];
      tenths.heard();
      return [line];
    });
  };

  test("a long run has a line at every tenth", () => {
    expect(lines(200, 1)).toEqual(
      Array.from(
        { length: 10 },
        (_, i) => `relu, seed 1: step ${20 * (i + 1)} of 200, loss ${(1.9 - i / 10).toFixed(3)}`,
      ),
    );
  });

  test("a short one has few, or none", () => {
    expect(lines(200, 0.06)).toHaveLength(2); // twelve seconds
    expect(lines(200, 0.02)).toEqual([]);
  });

  test("one that goes on tells what is new", () => {
    expect(lines(200, 1, 150)[0]).toContain("step 160 of 200");
    expect(lines(3, 100)).toHaveLength(3); // fewer steps than tenths
  });
});

describe("a busy machine", () => {
  test("is told by its load before, and by times on the clock after", () => {
    expect(describeLoad(5.26, 2)).toEqual([expect.stringContaining("a load of 5.3 on 2 cores")]);
    expect(describeLoad(1, 2)).toEqual([]);
    const at = (seconds: number) => ({
      ...finished("relu", seconds, 0.9),
      stepsPerSecond: 100 / seconds,
      cpuSeconds: 2,
    });
    expect(describeWaiting(100, [at(2), at(2.1), at(9)])).toEqual([]);
    expect(describeWaiting(100, [at(2), at(5), at(9)])).toEqual([
      expect.stringContaining(
        "the median run of relu took 2.5 times as long on the clock as on the processor",
      ),
    ]);
    expect(describeWaiting(100, [])).toEqual([]);
  });
});
