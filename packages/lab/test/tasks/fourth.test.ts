// A fourth task is one folder (sums/, beside this file) and one row of the registry: a copy of the lab's sources with both
// is compiled, and trains, evaluates, reports and goes through the queue like the other tasks.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run, start } from "../cli.js";
import { hasRedis, startRedis, unlessRedis } from "../redis.js";
import { sums } from "./sums/definition.js";

const scratch = realpathSync(mkdtempSync(join(tmpdir(), "swiglu-fourth-")));
const cli = join(scratch, "dist/cli.js");
const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const root = pathOf("../../../../");

const compare = (...options: string[]): string[] => [
  cli,
  ...["compare", "--task", "sums", "--variants", "relu,swiglu", "--seeds", "2", "--steps", "30"],
  ...options,
];

/** Milliseconds: the sources are compiled, and processes started, on machines that may have much other work. */
const PATIENCE = 600_000;

/** A text with another in place of a part of it that must be there. */
function replaced(text: string, part: string, by: string): string {
  expect(text).toContain(part);
  return text.replace(part, by);
}

function addTask(source: string): void {
  const folder = join(source, "tasks/sums");
  mkdirSync(folder);
  for (const name of readdirSync(pathOf("sums"))) {
    const text = readFileSync(pathOf(`sums/${name}`), "utf8");
    writeFileSync(
      join(folder, name),
      text.replaceAll("../../../src/tasks/", "../").replaceAll("../../../src/", "../../"),
    );
  }
  const registry = join(source, "tasks/registry.ts");
  const rows = replaced(readFileSync(registry, "utf8"), "\n  translation,\n", "\n  translation,\n  sums,\n");
  writeFileSync(registry, `import { sums } from "./sums/definition.js";\n${rows}`);
}

beforeAll(async () => {
  cpSync(pathOf("../../src"), join(scratch, "src"), { recursive: true });
  cpSync(pathOf("../../package.json"), join(scratch, "package.json"));
  symlinkSync(join(root, "node_modules"), join(scratch, "node_modules"));
  addTask(join(scratch, "src"));
  const options = { composite: false, declaration: false, declarationMap: false, sourceMap: false };
  const tsconfig = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: { ...options, rootDir: "src", outDir: "dist", types: ["node"] },
    include: ["src"],
  };
  writeFileSync(join(scratch, "tsconfig.json"), JSON.stringify(tsconfig));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const { code, stdout } = await run(process.execPath, [compiler, "-p", scratch], scratch);
  expect([code, stdout]).toEqual([0, ""]); // no file but the folder and the registry had to change
}, PATIENCE);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const folderOf = (out: string): string => join(scratch, out, readdirSync(join(scratch, out))[0]!);

/** The records of a sweep without what a clock decides. */
const recordsOf = (out: string) =>
  readdirSync(join(folderOf(out), "records"))
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => {
      const record = JSON.parse(readFileSync(join(folderOf(out), "records", name), "utf8"));
      return { ...record, seconds: 0, stepsPerSecond: 0, cpuSeconds: 0 };
    });

describe("a fourth task", { timeout: PATIENCE }, () => {
  test("is among the choices, with its own option, its examples and its data", async () => {
    const { stdout } = await run(process.execPath, [cli, "compare", "--help"], scratch);
    const help = stdout.replace(/\s+/g, " ");
    expect(help).toContain('(choices: "images", "language", "translation", "sums", default: "images")');
    expect(help).toContain("--digits <n> sums: digits of each number (default: 1)");
    expect(help).toContain("images, sequences, pairs or sums per step");
    expect(help).toContain(`${sums.kind}: ${sums.data}`);
  });

  test("refuses the options of others, and sizes beyond its own bounds", async () => {
    const patch = await run(process.execPath, compare("--patch", "4"), scratch);
    expect([patch.code, patch.stderr]).toEqual([
      1,
      "error: --patch is not an option of --task sums, but of --task images.\n",
    ]);
    const digits = await run(process.execPath, compare("--digits", "3"), scratch);
    expect([digits.code, digits.stderr]).toEqual([1, expect.stringMatching(/cannot be trained: digits: /)]);
  });

  test("trains, is evaluated by its own figures, and is reported", async () => {
    const { code, stdout, stderr } = await run(process.execPath, compare("--out", "home"), scratch);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Adding transformer: sums of 1 digits, width 16");
    expect(stdout).toContain("30 steps of 8 sums");
    expect(stdout).toContain("subtraction above all");
    expect(stdout.replace(/\s+/g, " ")).toMatch(
      /\(bits per digit [\d.]+\), saved as .*it adds with a loss of/,
    );
    const records = recordsOf("home");
    expect(records).toHaveLength(4);
    for (const { test, curve } of records) {
      expect(test.bitsPerDigit).toBeCloseTo(test.loss / Math.LN2, 12);
      expect(curve.at(-1).loss).toBeLessThan(curve[0].loss);
    }
    const report = readFileSync(join(folderOf("home"), "report.html"), "utf8");
    for (const words of ["adding transformer", "bits per digit", "A transformer adds two numbers"])
      expect(report).toContain(words);
    const again = await run(process.execPath, compare("--out", "home"), scratch);
    expect(again.stdout).toContain("All 4 runs are kept from before");
  });

  test.skipIf(!hasRedis)(`goes through the queue, and ends as at home${unlessRedis}`, async () => {
    const redis = await startRedis(scratch);
    const url = `redis://127.0.0.1:${redis.port}`;
    const worker = start(process.execPath, [cli, "worker", url, "--work", "work", "--jobs", "1"], scratch);
    try {
      const { code, stderr } = await run(process.execPath, compare("--out", "away", "--queue", url), scratch);
      expect([code, stderr]).toEqual([0, ""]);
      expect(recordsOf("away")).toEqual(recordsOf("home"));
    } finally {
      worker.child.kill("SIGKILL");
      await worker.ended;
      await redis.stop();
    }
  });
});
