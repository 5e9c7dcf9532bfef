// compare --lengths and --sizes as a process: tuning, cells, study.json, going on after kill -9, the plan, and what is refused.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { studyPresetNames, studyPresets } from "../../src/config/study-presets.js";
import { groupsOf, sumsOf } from "../../src/study/groups.js";
import { parseRising, stepsOf, tunedFor, verdictLength } from "../../src/study/lengths.js";
import type { StudyRecord } from "../../src/study/types.js";
import { groupsOfTwo } from "../../src/tasks/common/left-out.js";
import { runCli, startCli } from "../cli.js";
import { tinyModel, writeImageSet } from "../idx-files.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-study-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const images = writeImageSet(join(scratch, "images"));

const args = (out: string): string[] => [
  "compare",
  ..."--variants swiglu,swish,glu --seeds 2 --batch 8 --lengths 0.5,1 --tune 0.0141,0.02,0.0283 --tune-seeds 11,12".split(
    " ",
  ),
  ...tinyModel,
  ...["--data", images, "--out", join(scratch, out), "--jobs", "2"],
];

function studyIn(out: string): StudyRecord {
  const folder = join(scratch, out);
  const name = readdirSync(folder).find((each) => each.includes("-study-"))!;
  return JSON.parse(readFileSync(join(folder, name, "study.json"), "utf8"));
}

/** What repeats bit for bit: all but times, and what is said of the machine. */
const lasting = ({ cells, tuning, remarks, ...rest }: StudyRecord) => ({
  ...rest,
  remarks: remarks.filter((remark) => !remark.startsWith("This machine is busy")),
  tuning: tuning.map(({ cpuSeconds: _, ...own }) => own),
  cells: cells.map(({ runs, ...cell }) => ({
    ...cell,
    runs: runs.map(({ cpuSeconds: _, seconds: __, ...run }) => run),
  })),
});

describe("compare --lengths", () => {
  test("killed in the middle, it goes on, and ends as it would have", { timeout: 300_000 }, async () => {
    const whole = await runCli(args("whole"), scratch);
    expect(whole.stderr).toBe("");
    expect(whole.code).toBe(0);
    expect(whole.stdout).toMatch(/swiglu against swish: .*\n/);
    const study = studyIn("whole");
    expect(study.cells.map(({ length, steps }) => [length, steps])).toEqual([
      [0.5, 14],
      [1, 28],
    ]);
    expect(study.tuning.map(({ length, seeds }) => [length, seeds])).toEqual([[0.5, [11, 12]]]);
    expect(study.cells.every(({ runs }) => runs.length === 6)).toBe(true);

    const first = startCli(args("killed"), scratch);
    await first.until(/Width 8, length 0\.5/);
    first.child.kill("SIGKILL");
    await first.ended;
    const again = await runCli(args("killed"), scratch);
    expect(again.code).toBe(0);
    expect(lasting(studyIn("killed"))).toEqual(lasting(study));
  });

  test("--plan says what is done and what is left, and writes nothing", { timeout: 60_000 }, async () => {
    const { code, stdout } = await runCli([...args("planned"), "--plan"], scratch);
    expect(code).toBe(0);
    expect(stdout).toMatch(/8 +0\.5 +14 +tuning +18 +0 /);
    expect(stdout).toMatch(/8 +1 +28 +counted +6 +0 /);
    expect(existsSync(join(scratch, "planned"))).toBe(false);
  });

  test("--sizes: as many tokens per parameter at each width", { timeout: 60_000 }, async () => {
    const { stdout } = await runCli([...args("sizes"), "--sizes", "8,16", "--plan"], scratch);
    const steps = [...stdout.matchAll(/^ *(\d+) +1 +(\d+) +counted/gm)].map(([, width, n]) => [
      Number(width),
      Number(n),
    ]);
    expect(steps[0]).toEqual([8, 28]);
    expect(steps[1]![0]).toBe(16);
    expect(steps[1]![1]).toBeGreaterThan(50);
  });

  test.each([
    [["--steps", "5"], "--steps and --lengths are both given"],
    [["--lengths", "1,1"], '--lengths is "1,1": expected different numbers above 0'],
    [["--tune-lengths", "3"], "--tune-lengths has 3, which --lengths has not: 0.5, 1."],
    [["--sizes", "8.5"], "--sizes has 8.5: expected whole numbers."],
  ])("refuses %j", async (more, message) => {
    const { code, stderr } = await runCli([...args("refused"), ...more], scratch);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});

describe("what a study consists of", () => {
  test("lengths", () => {
    expect(parseRising("2,0.5,1", "--lengths", "1,2")).toEqual([0.5, 1, 2]);
    expect([verdictLength([0.5, 1, 2, 4]), verdictLength([1, 2]), verdictLength([1])]).toEqual([2, 1, 1]);
    expect([tunedFor(1, [0.5, 2]), tunedFor(4, [0.5, 2]), tunedFor(0.5, [0.5, 2])]).toEqual([2, 2, 0.5]);
    expect(stepsOf(0.5, 18984, 16, 1)).toBe(593);
  });

  test("clusters stay whole in at most so many groups, which hold all of what they weigh", () => {
    const clusters = Int32Array.from({ length: 900 }, (_, i) => (i * 7) % 300);
    const part = { clusters, weights: Int32Array.from({ length: 900 }, (_, i) => i) };
    const groups = groupsOf(part, 32);
    expect(new Set(groups).size).toBe(32);
    const groupOf = new Map<number, number>();
    clusters.forEach((cluster, i) => {
      expect(groupOf.get(cluster) ?? groups[i]).toBe(groups[i]);
      groupOf.set(cluster, groups[i]!);
    });
    expect(sumsOf(part.weights, groups).reduce((a, b) => a + b, 0)).toBe((900 * 899) / 2);
    expect(groupsOfTwo(["a", "b", "c"], [4, 1, 4])).toEqual([["a", "c"]]);
  });

  test.each(studyPresetNames)("%s follows docs/method.md", (name) => {
    const method = readFileSync(new URL("../../../../docs/method.md", import.meta.url), "utf8");
    const { options, data } = studyPresets[name];
    expect(method).toContain(`\`${name}\``);
    const lengths = parseRising(options.lengths, "", "");
    expect(method).toContain(`**${verdictLength(lengths)}**`);
    expect(parseRising(options.tuneLengths, "", "").includes(verdictLength(lengths))).toBe(true);
    expect(options.tuneSeeds.split(",").length).toBeGreaterThanOrEqual(4);
    expect(options.seeds.split(",").length).toBeGreaterThanOrEqual(5);
    const rates = options.tune.split(",").map(Number);
    for (const [i, rate] of rates.slice(1).entries()) expect(rate / rates[i]!).toBeCloseTo(Math.SQRT2, 1);
    expect(data.sha256).toMatch(/^[0-9a-f]{64}$/);
  });
});
