// swiglu-lab probe as users run it: what it prints and writes, that watching a run leaves it as it is, and interruption.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { afterAll, beforeAll, expect, test } from "vitest";
import { probeMarkdown } from "../../src/probe/markdown.js";
import type { ProbeResults } from "../../src/probe/types.js";
import { runCli, startCli } from "../cli.js";
import { writeImageSet } from "../idx-files.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-probe-"));
const data = join(scratch, "rows");
const network = "--patch 4 --width 8 --depth 2 --heads 2 --batch 16".split(" ");
const tiny = [
  "--data",
  data,
  ...network,
  "--variants",
  "relu,swiglu-trained",
  "--seeds",
  "2",
  "--steps",
  "40",
];

beforeAll(() => writeImageSet(data));
afterAll(() => rmSync(scratch, { recursive: true }));

const folderIn = (...parts: string[]): string => {
  const folder = join(scratch, ...parts);
  return join(folder, readdirSync(folder)[0]!);
};

/** Every record of a folder, without what a clock decides. */
const recordsIn = (folder: string) =>
  readdirSync(join(folder, "records"))
    .filter((name) => name.endsWith(".json") && !name.endsWith(".points.json"))
    .sort()
    .map((name) => ({
      ...JSON.parse(readFileSync(join(folder, "records", name), "utf8")),
      seconds: 0,
      cpuSeconds: 0,
      stepsPerSecond: 0,
    }));

const resultsIn = (folder: string): ProbeResults =>
  JSON.parse(readFileSync(join(folder, "probe.json"), "utf8"));

test("tables, words, numbers and a page; and the runs are bit for bit those of compare", async () => {
  const { code, stdout, stderr } = await runCli(["probe", ...tiny], scratch);
  expect([code, stderr]).toEqual([0, ""]);
  for (const title of ["From the formulas", "What the gates do", "What this shows", "What it cannot show"])
    expect(stdout).toContain(`\n${title}\n`);
  expect(stdout).toMatch(/^\[4\/4\] swiglu-trained, seed 2: validation/m);
  expect(stdout).toMatch(/^relu +1 +0 +1 at 0 +none: monotone +50\.0 % +0\.0 %$/m);
  expect(stdout.replaceAll("\n", " ")).toContain(
    "Smoothness, in the formulas: relu has a kink; swiglu-trained has none, and second derivatives of at most 0.50.",
  );
  expect(stdout).not.toContain("\u001b");

  const folder = folderIn("runs", "probe");
  const { examples, runs, shapes } = resultsIn(folder);
  expect(examples).toBe(20); // all that are held back
  expect(shapes.map(({ name }) => name)).toEqual(["relu", "swiglu"]);
  expect(runs.map(({ variant, seed }) => `${variant} ${seed}`)).toEqual([
    "relu 1",
    "swiglu-trained 1",
    "relu 2",
    "swiglu-trained 2",
  ]);
  for (const { points, test: scores } of runs) {
    expect(scores?.accuracy).toBeGreaterThan(0.3);
    expect(points.map(({ step }) => step)).toEqual([0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40]);
    expect(points.at(-1)!.loss).toBeLessThan(points[0]!.loss);
    for (const { gates } of points) expect(gates).toHaveLength(2);
  }
  const compared = await runCli(["compare", ...tiny, "--out", "compared"], scratch);
  expect(compared.code).toBe(0);
  expect(recordsIn(folder)).toEqual(recordsIn(folderIn("compared")));
});

test("started again it trains nothing, and finds the same", async () => {
  const folder = folderIn("runs", "probe");
  const before = resultsIn(folder);
  const { code, stdout } = await runCli(["probe", ...tiny], scratch);
  expect(code).toBe(0);
  expect(stdout).toContain("4 of 4 runs are in");
  expect(resultsIn(folder)).toEqual(before);
});

test("the page is whole: every variant in four charts, nothing loaded", () => {
  const html = readFileSync(join(folderIn("runs", "probe"), "probe.html"), "utf8");
  const { document } = parseHTML(html);
  expect(document.querySelectorAll("svg[role=img]")).toHaveLength(8);
  expect(document.querySelectorAll("table")).toHaveLength(4);
  expect(document.querySelectorAll("script, link, img, iframe, object, [src], [href]")).toHaveLength(0);
  expect(html).not.toMatch(/NaN|undefined|Infinity/);
});

test("the document is made of the results alone", () => {
  const text = probeMarkdown(resultsIn(folderIn("runs", "probe")), "swiglu-lab probe ...");
  expect(text).toMatch(/^\| relu \| 1 \| 0 \| 1 at 0 \| none: monotone \| 50\.0 % \| 0\.0 % \|$/m);
  expect(text).toContain("`swiglu-lab probe ...`");
  expect(text).not.toMatch(/NaN|undefined|Infinity/);
});

test("Ctrl-C ends it in good order, and what was whole is kept", async () => {
  const long = ["probe", ...tiny, "--out", "stopped"];
  const running = startCli(long, scratch);
  await running.until(/^\[1\/4\]/m);
  running.child.kill("SIGINT");
  const { code, stdout } = await running.ended;
  if (code !== 0)
    expect([code, stdout]).toEqual([130, expect.stringContaining("Interrupted: the runs that were whole")]);
  const again = await runCli(long, scratch);
  expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/[1-4] of 4 runs are in/)]);
  const [stopped, whole] = [folderIn("stopped", "probe"), folderIn("runs", "probe")];
  expect(recordsIn(stopped)).toEqual(recordsIn(whole));
  expect(resultsIn(stopped).runs).toEqual(resultsIn(whole).runs);
});

test("text: sequences are probed too", async () => {
  const line = (i: number): string =>
    `${["the gate", "an up", "a slope"][i % 3]} of ${i} is ${(7 * i) % 101}.\n`;
  writeFileSync(join(scratch, "text.txt"), Array.from({ length: 1500 }, (_, i) => line(i)).join(""));
  const text = ["--task", "language", "--data", join(scratch, "text.txt")];
  const network = "--context 64 --vocabulary 300 --width 8 --depth 1 --heads 2 --batch 4".split(" ");
  const run = ["--variants", "glu", "--seeds", "1", "--steps", "10", "--out", "text"];
  const { code, stdout, stderr } = await runCli(["probe", ...text, ...network, ...run], scratch);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/on the same \d+ validation sequences/);
  expect(resultsIn(folderIn("text", "probe")).examples).toBeGreaterThan(9);
});

test("where every run diverges, it says so and ends with 1", async () => {
  const wild = ["--learning-rate", "1e30", "--out", "wild"];
  const { code, stdout, stderr } = await runCli(["probe", ...tiny, ...wild], scratch);
  expect([code, stderr]).toEqual([1, ""]);
  expect(stdout).toContain("Every run diverged: there is nothing to show.");
  expect(resultsIn(folderIn("wild", "probe")).runs.every(({ diverged }) => diverged)).toBe(true);
  const page = readFileSync(join(folderIn("wild", "probe"), "probe.html"), "utf8");
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

test("--shapes needs no data: the whole catalogue, and activations of one's own", async () => {
  const { code, stdout } = await runCli(["probe", "--shapes"], scratch);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^swiglu +1\.1 at 2\.399 +0\.5 at 0 +none +\u22120\.278 at \u22121\.278 +1\.6 % +10\.1 %$/m,
  );
  expect(stdout.trim().split("\n").length).toBeGreaterThan(36);
});

test.each<[string, string[], RegExp]>([
  [
    "an unknown variant",
    ["--variants", "swigul"],
    /^error: there is no activation "swigul": did you mean swiglu/,
  ],
  ["an option of compare alone", ["--queue", "redis://nowhere"], /^error: unknown option '--queue'/],
  ["a damaged file", ["--out", "runs"], /points\.json cannot be read .* delete the record beside it/],
])("%s", async (_, args, message) => {
  if (args.includes("--out")) {
    const records = join(folderIn("runs", "probe"), "records");
    const file = readdirSync(records).find((name) => name.endsWith(".points.json"))!;
    rmSync(join(records, file));
  }
  const { code, stderr } = await runCli(["probe", ...tiny, ...args], scratch);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ +at /m);
  expect(code).toBe(1);
});
