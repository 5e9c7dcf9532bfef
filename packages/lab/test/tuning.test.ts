// Tuned learning rates: which one is chosen, when the grid is extended, and that tuning goes on after a kill and leads to the
// same comparison as its rates spelled out.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { extensionOf, type Tuning, tuningOf } from "../src/statistics/tuning.js";
import { runCli, startCli } from "./cli.js";
import { tinyModel, writeImageSet } from "./idx-files.js";
import { diverged, finished } from "./records.js";

const seeds = [1001, 1002];

/** A tuning with these mean validation losses of variants a, b ... at the rates; Infinity: one run diverged. */
function tuned(grid: readonly number[], losses: Readonly<Record<number, readonly number[]>>): Tuning {
  const names = ["a", "b", "c"].slice(0, Object.values(losses)[0]!.length);
  const rounds = Object.entries(losses).map(([rate, means]) => ({
    rate: Number(rate),
    records: means.flatMap((mean, i) =>
      mean === Number.POSITIVE_INFINITY
        ? [finished(names[i]!, 1001, 0.99), diverged(names[i]!, 1002)]
        : [finished(names[i]!, 1001, 1 - mean - 0.05), finished(names[i]!, 1002, 1 - mean + 0.05)],
    ),
  }));
  return tuningOf(rounds, grid, names, seeds);
}

describe("the choice", () => {
  test("is the rate with the lowest mean validation loss, each variant's own", () => {
    const { rates, extensions, variants } = tuned([1, 2, 4], {
      2: [0.3, 0.2],
      4: [0.2, 0.4],
      1: [0.5, 0.5],
      8: [0.6, 0.6],
    });
    expect([rates, extensions]).toEqual([[1, 2, 4, 8], [8]]);
    expect(variants.map(({ name, best, isAtEdge }) => [name, best, isAtEdge])).toEqual([
      ["a", 4, false],
      ["b", 2, false],
    ]);
    expect(variants[0]!.losses.map((loss) => loss?.toFixed(6))).toEqual([
      "0.500000",
      "0.300000",
      "0.200000",
      "0.600000",
    ]);
  });

  test("is never a rate at which a run diverged", () => {
    const { variants } = tuned([1, 2, 4], { 1: [0.5], 2: [0.4], 4: [Number.POSITIVE_INFINITY] });
    expect(variants[0]).toMatchObject({ best: 2, isAtEdge: false });
    expect(variants[0]!.losses[2]).toBeNull();
  });

  test("is the lower of two that are as good", () => {
    expect(tuned([1, 2, 4, 8], { 1: [0.5], 2: [0.25], 4: [0.25], 8: [0.5] }).variants[0]!.best).toBe(2);
  });
});

describe("the grid", () => {
  const none = Number.POSITIVE_INFINITY;
  test.each<[string, Record<number, number[]>, number[]]>([
    ["is kept where every best is inside", { 1: [3, 4], 2: [2, 3], 3: [3, 4] }, []],
    ["goes on upwards by its own ratio there", { 1: [3, 4], 2: [2, 3], 3: [3, 2] }, [4.5]],
    ["and downwards", { 1: [1, 4], 2: [2, 3], 3: [3, 4] }, [0.5]],
    ["and both ways", { 1: [1, 4], 2: [2, 3], 3: [3, 2] }, [0.5, 4.5]],
    ["goes downwards where all diverged", { 1: [none], 2: [none] }, [0.5]],
    ["keeps short numbers", { 0.001: [3], 0.003: [2] }, [0.009]],
  ])("%s", (_, losses, added) => {
    const grid = Object.keys(losses).map(Number);
    expect(extensionOf(tuned(grid, losses))).toEqual(added);
  });

  test("is extended by four rates at most, and then says that a better one may lie beyond", () => {
    const losses = { 1: [9], 2: [8], 4: [7], 8: [6], 16: [5], 32: [4] };
    expect(extensionOf(tuned([1, 2, 4], losses))).toEqual([64]);
    const full = tuned([1, 2], losses);
    expect(extensionOf(full)).toEqual([]);
    expect(full.variants[0]).toMatchObject({ best: 32, isAtEdge: true });
  });
});

describe("compare --tune", () => {
  const scratch = mkdtempSync(join(tmpdir(), "swiglu-tuning-"));
  const data = join(scratch, "rows");
  const size = ["--data", data, ...tinyModel, "--batch", "16"];
  const sweep = ["compare", ...size, "--variants", "relu,swiglu", "--steps", "60", "--seeds", "2"];
  const args = [...sweep, "--tune", "0.0001,0.02,4", "--tune-seeds", "5,9", "--out", "tuned"];
  const folders = (): string[] => readdirSync(join(scratch, "tuned")).sort();
  const finishedFolder = (): string =>
    folders().filter((name) => existsSync(join(scratch, "tuned", name, "results.json")))[0]!;
  beforeAll(() => writeImageSet(data));
  afterAll(() => rmSync(scratch, { recursive: true }));

  test("killed in its second round goes on there, compares at the best rates, and says how they were found", async () => {
    const first = startCli(args, scratch);
    await first.until(/round 2 of 3[\s\S]*\[1\/4\]/);
    first.child.kill("SIGKILL");
    await first.ended;
    const { code, stdout, stderr } = await runCli(args, scratch);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/Tuning, round 1 of 3: learning rate 0\.0001\nAll 4 runs are kept from before/);
    expect(stdout).toMatch(/round 2 of 3: learning rate 0\.02\n.*where [1-3] of 4 runs are kept from before/);
    expect(stdout).toMatch(/^relu +\d\.\d+ +\d\.\d+ +(\d+\.\d+|diverged) +0\.02$/m);
    expect(folders()).toHaveLength(4);
    const results = JSON.parse(
      readFileSync(join(scratch, "tuned", finishedFolder(), "results.json"), "utf8"),
    );
    expect(results.tuning).toMatchObject({ seeds: [5, 9], rates: [0.0001, 0.02, 4], extensions: [] });
    expect(results.config.variants.map(({ learningRate }: { learningRate: number }) => learningRate)).toEqual(
      [0.02, 0.02],
    );
    expect(readFileSync(join(scratch, "tuned", finishedFolder(), "report.html"), "utf8")).toContain(
      "tried at every rate under the seeds 5 and 9",
    );
  });

  test("is the sweep that the rates spelled out give; a round, that of its rate under its seeds", async () => {
    const before = folders();
    const spelled = await runCli(
      [...sweep, "--learning-rate", "1,swiglu=0.02,relu=0.02", "--out", "tuned"],
      scratch,
    );
    expect(spelled.stdout).toContain(`All 4 runs are kept from before in tuned/${finishedFolder()}`);
    const round = await runCli(
      [...sweep, "--learning-rate", "4", "--seeds", "5,9", "--out", "tuned"],
      scratch,
    );
    expect(round.stdout).toContain("All 4 runs are kept from before");
    expect(folders()).toEqual(before);
  });

  test("Ctrl-C in a round says so, and that it goes on", async () => {
    const run = startCli([...args, "--steps", "400"], scratch);
    await run.until(/round 1 of 3[\s\S]*\[1\/4\]/);
    run.child.kill("SIGINT");
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    expect(stdout).toMatch(/Interrupted: \d of 4 runs are kept in .* Start again with the same options/);
    expect(stdout).not.toContain("The comparison");
  });
});
