// Whole sweeps on a small image set: results, resuming after interruption and kill -9, lost workers, divergence,
// and that a run depends on its configuration and seed alone, bit for bit.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isRunRecord, type RunRecord } from "../src/records/record.js";
import { childrenOf, eventually, isAlive, runCli, startCli } from "./cli.js";
import { tinyModel, writeImageSet } from "./idx-files.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-sweep-"));
const data = join(scratch, "rows");
const tiny = ["--data", data, ...tinyModel, "--batch", "16"];
const compare = ["compare", ...tiny, "--variants", "relu,swiglu-trained", "--seeds", "3", "--steps", "60"];
const long = ["compare", ...tiny, "--variants", "relu,swiglu-trained", "--seeds", "3", "--steps", "400"];

beforeAll(() => writeImageSet(data));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The only sweep's folder under an --out folder. */
const folderIn = (out: string): string => join(scratch, out, readdirSync(join(scratch, out))[0]!);

const recordFiles = (folder: string): string[] =>
  readdirSync(join(folder, "records"))
    .filter((name) => name.endsWith(".json"))
    .sort();

const readRun = (folder: string, name: string): RunRecord => {
  const record: unknown = JSON.parse(readFileSync(join(folder, "records", name), "utf8"));
  if (!isRunRecord(record)) throw new Error(`${name} is no record`);
  return record;
};

/** Records without what a clock decides. */
const timeless = (folder: string) =>
  recordFiles(folder).map((name) => ({
    ...readRun(folder, name),
    seconds: 0,
    stepsPerSecond: 0,
    cpuSeconds: 0,
  }));

let uninterrupted: string;

test("a sweep writes a record per run, the results, the report and the best model, and prints the ranking", async () => {
  const { code, stdout, stderr } = await runCli([...compare, "--out", "whole", "--jobs", "1"], scratch);
  expect([code, stderr]).toEqual([0, ""]);
  uninterrupted = folderIn("whole");
  expect(readdirSync(uninterrupted).sort()).toEqual([
    "best.onnx",
    "config.json",
    "records",
    "report.html",
    "results.json",
  ]);
  expect(recordFiles(uninterrupted)).toEqual(
    ["relu", "swiglu-trained"].flatMap((name) => [1, 2, 3].map((seed) => `${name}-${seed}.json`)),
  );
  expect(readdirSync(join(uninterrupted, "records")).filter((name) => name.endsWith(".onnx"))).toHaveLength(
    1,
  );
  const results = JSON.parse(readFileSync(join(uninterrupted, "results.json"), "utf8"));
  expect(results.records).toHaveLength(6);
  expect(results.matched.variants.map(({ name }: { name: string }) => name)).toEqual([
    "relu",
    "swiglu-trained",
  ]);
  expect(results.best.test.accuracy).toBeGreaterThan(0.5); // of four classes
  for (const text of [
    "[6/6]",
    "Ranking",
    "nats against relu",
    "What it cannot show",
    "beta",
    "FFN parameters",
    "At equal cost",
  ]) {
    expect(stdout).toContain(text);
  }
  expect(stdout).not.toContain("\u001b");
});

test("the same options again keep every run and train nothing", async () => {
  const before = recordFiles(uninterrupted).map(
    (name) => statSync(join(uninterrupted, "records", name)).mtimeMs,
  );
  const { code, stdout } = await runCli([...compare, "--out", "whole"], scratch);
  expect(code).toBe(0);
  expect(stdout).toContain("All 6 runs are kept from before");
  expect(stdout).not.toContain("[6/6]");
  expect(
    recordFiles(uninterrupted).map((name) => statSync(join(uninterrupted, "records", name)).mtimeMs),
  ).toEqual(before);
});

test("killed with kill -9, it leaves no process behind, goes on where it was, and ends bit for bit the same", async () => {
  const args = [...compare, "--out", "killed", "--jobs", "2"];
  const first = startCli(args, scratch);
  await first.until(/\[1\/6\]/);
  const workers = childrenOf(first.child.pid!);
  expect(workers.length).toBeGreaterThan(0);
  first.child.kill("SIGKILL");
  expect((await first.ended).signal).toBe("SIGKILL");
  expect(await eventually(() => !workers.some(isAlive), 10)).toBe(true);

  const folder = folderIn("killed");
  const kept = recordFiles(folder);
  expect(kept.length).toBeGreaterThanOrEqual(1);
  expect(kept.length).toBeLessThan(6);
  const contents = kept.map((name) => readFileSync(join(folder, "records", name), "utf8"));
  const second = await runCli(args, scratch);
  expect(second.code).toBe(0);
  expect(second.stdout).toContain(`${kept.length} of 6 runs are kept from before`);
  expect(kept.map((name) => readFileSync(join(folder, "records", name), "utf8"))).toEqual(contents);
  expect(timeless(folder)).toEqual(timeless(uninterrupted));
  expect(readFileSync(join(folder, "best.onnx")).equals(readFileSync(join(uninterrupted, "best.onnx")))).toBe(
    true,
  );
});

test("other options write another folder", async () => {
  await runCli([...compare, "--out", "whole", "--steps", "2"], scratch);
  expect(readdirSync(join(scratch, "whole"))).toHaveLength(2);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s ends the workers at once, says what is kept, and exits with %i", async (signal, code) => {
  const sweep = startCli([...long, "--out", signal], scratch);
  await sweep.until(/\[1\/6\]/);
  const workers = childrenOf(sweep.child.pid!);
  sweep.child.kill(signal);
  const ended = await sweep.ended;
  expect(ended.code).toBe(code);
  expect(ended.stdout).toMatch(
    /Interrupted: \d of 6 runs are kept in .*Start again with the same options to do the rest\./,
  );
  expect(await eventually(() => !workers.some(isAlive), 10)).toBe(true);
});

test("a worker that dies fails its run alone; started again, that run is trained", async () => {
  const sweep = startCli([...long, "--steps", "150", "--out", "lost", "--jobs", "2"], scratch);
  await sweep.until(/\[1\/6\]/);
  process.kill(childrenOf(sweep.child.pid!)[0]!, "SIGKILL");
  const { code, stdout } = await sweep.ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(/failed: its worker process ended \(signal SIGKILL\)/);
  expect(stdout).toContain("1 run did not end");
  const again = await runCli([...long, "--steps", "150", "--out", "lost"], scratch);
  expect([again.code, recordFiles(folderIn("lost")).length]).toEqual([0, 6]);
});

test("a user's activation that overflows is recorded as diverged, and the others go on", async () => {
  const file = join(scratch, "explode.json");
  writeFileSync(
    file,
    JSON.stringify({ name: "explode", kind: "unary", expression: ["exp", ["mul", 10000, "x"]] }),
  );
  const args = [
    "compare",
    ...tiny,
    "--variants",
    "explode,relu",
    "--activation",
    file,
    "--seeds",
    "1",
    "--steps",
    "20",
  ];
  const { code, stdout } = await runCli([...args, "--out", "diverged"], scratch);
  expect(code).toBe(0);
  expect(readRun(folderIn("diverged"), "explode-1.json")).toMatchObject({
    status: "diverged",
    divergedAt: 1,
  });
  expect(readRun(folderIn("diverged"), "relu-1.json").status).toBe("finished");
  expect(stdout).toMatch(/explode diverged in 1 of 1 run \(seed 1 at step 1\): it is not ranked/);
});

test("names that objects inherit are refused at the definition, before anything is trained", async () => {
  const file = join(scratch, "inherited.json");
  const definition = (name: string, parameter: string) => ({
    name,
    kind: "gated",
    parameters: { [parameter]: 1 },
    expression: ["mul", ["sigmoid", ["mul", parameter, "gate"]], "up"],
  });
  for (const [name, parameter, refused] of [
    ["valueOf", "slope", "valueOf"],
    ["mine", "constructor", "constructor"],
    ["mine", "toString", "toString"],
  ] as const) {
    writeFileSync(file, JSON.stringify(definition(name, parameter)));
    const args = ["compare", ...tiny, "--activation", file, "--variants", `relu,${name}`, "--seeds", "1"];
    const { code, stderr } = await runCli([...args, "--out", "inherited"], scratch);
    expect(code).toBe(1);
    expect(stderr).toContain(`"${refused}", which every object of JavaScript has: choose another name`);
  }
  expect(existsSync(join(scratch, "inherited"))).toBe(false);
});

test("a record that is none stops the sweep before anything is overwritten", async () => {
  const folder = folderIn("killed");
  const file = join(folder, "records", "relu-1.json");
  writeFileSync(file, "{}");
  const { code, stderr } = await runCli([...compare, "--out", "killed"], scratch);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^error: .*relu-1\.json is not the record of a run: delete it/),
  ]);
  expect(readFileSync(file, "utf8")).toBe("{}");
});
