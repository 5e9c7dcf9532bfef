// The command line: what it prints, and that every mistake gets one sentence, a non-zero exit, and nothing written.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "./cli.js";
import { writeImageSet } from "./idx-files.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-cli-"));
afterAll(() => rmSync(scratch, { recursive: true }));

describe("help, list and show", () => {
  test("--help teaches with examples", async () => {
    const { code, stdout } = await runCli(["--help"], scratch);
    expect(code).toBe(0);
    expect(stdout).toContain("swiglu-lab show swiglu");
    expect((await runCli(["compare", "--help"], scratch)).stdout).toContain("--learning-rate <rates>");
  });

  test("list shows every activation, and no escape codes in a pipe", async () => {
    const { stdout } = await runCli(["list"], scratch);
    expect(stdout).toMatch(/^swiglu +gated +beta = 1 +gate \* sigmoid\(beta \* gate\) \* up$/m);
    expect(stdout.trim().split("\n").length).toBeGreaterThan(32);
    expect(stdout).not.toContain("\u001b");
  });

  test("show gives formula, gradient, LaTeX, source and a plot of value and slope", async () => {
    const { code, stdout } = await runCli(["show", "swiglu"], scratch);
    expect(code).toBe(0);
    for (const part of ["d/d gate", "d/d up", "d/d beta", "\\sigma", "Shazeer 2020", "beta = 1"]) {
      expect(stdout).toContain(part);
    }
    expect(stdout).toMatch(/slope \(d\/d gate\)/);
    expect(stdout).toContain("━");
  });
});

describe("mistakes", () => {
  const data = join(scratch, "data");
  const cut = join(scratch, "cut");
  beforeAll(() => {
    writeImageSet(data);
    writeImageSet(cut);
    const file = join(cut, "t10k-images-idx3-ubyte");
    writeFileSync(file, readFileSync(file).subarray(0, 100));
    writeFileSync(join(scratch, "file"), "kept");
    writeFileSync(join(scratch, "bad.json"), '{"name": "bad", "kind": "unary", "expression": ["zap", "x"]}');
  });

  test.each<[string, string[], RegExp]>([
    [
      "an unknown variant",
      ["--variants", "relu,swigul"],
      /^error: there is no activation "swigul": did you mean swiglu/,
    ],
    ["zero seeds", ["--seeds", "0"], /^error: --seeds is 0: expected a count from 1/],
    [
      "no steps",
      ["--steps", "0"],
      /^error: option '--steps <n>' argument '0' is invalid\. Expected a whole number from 1\./,
    ],
    ["a learning rate of nothing", ["--learning-rate", "0"], /expected a number above 0/],
    [
      "a rate and a grid",
      ["--learning-rate", "1", "--tune", "1,2"],
      /--learning-rate and --tune are both given/,
    ],
    ["seeds for no tuning", ["--tune-seeds", "5,6"], /--tune-seeds is for --tune/],
    [
      "tuning on what is compared",
      ["--tune", "1,2", "--tune-seeds", "2,"],
      /--tune-seeds has 2, as --seeds has/,
    ],
    ["an unknown preset", ["--preset", "x"], /choices are evidence-images, evidence-language/],
    [
      "the task of another preset",
      ["--preset", "evidence-images", "--task", "language"],
      /--preset evidence-images is of --task images, not language/,
    ],
    ["an unknown option", ["--stepz", "3"], /^error: unknown option '--stepz'/],
    ["a truncated IDX file", ["--data", cut], /^error: .*t10k-images-idx3-ubyte is truncated/],
    ["a folder without images", ["--data", scratch], /^error: .* has no file train-images-idx3-ubyte or/],
    ["a file for a folder", ["--out", join(scratch, "file")], /^error: .*file.* cannot be (written|read)/],
    [
      "an invalid definition",
      ["--activation", join(scratch, "bad.json")],
      /^error: --activation .*bad\.json is not a valid definition: .*zap/,
    ],
    ["a patch that does not fit", ["--patch", "3"], /^error: --patch 3 does not divide the images of 8 x 8/],
    [
      "a width that cannot match",
      ["--width", "4"],
      /^error: \w+ cannot match the 148 feed-forward parameters/,
    ],
  ])("%s", async (_, args, message) => {
    const before = existsSync(join(scratch, "runs"));
    const defaults = args.includes("--data") ? [] : ["--data", data];
    const { code, stdout, stderr } = await runCli(["compare", "--patch", "4", ...defaults, ...args], scratch);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect([before, existsSync(join(scratch, "runs"))]).toEqual([false, false]);
    expect(readFileSync(join(scratch, "file"), "utf8")).toBe("kept");
  });

  test("an unknown name to show", async () => {
    const { code, stderr } = await runCli(["show", "gegul"], scratch);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^error: there is no activation "gegul": did you mean .*geglu/),
    ]);
  });
});
