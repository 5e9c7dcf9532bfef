// Damaged files of a run folder: whatever was done to a record, reading it gives a sentence that names the file and what to
// do, or all that is made of it holds; and nothing is deleted that could not be made again.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunRecord } from "../src/records/record.js";
import { reportPage } from "../src/report/page.js";
import { analyse } from "../src/statistics/analysis.js";
import { describeWaiting } from "../src/statistics/load.js";
import { matchCosts } from "../src/statistics/matched.js";
import { bestRun, summarise } from "../src/statistics/summary.js";
import { describe as findingsOf } from "../src/statistics/words.js";
import {
  openFolder,
  prettyJson,
  readRecords,
  recordFile,
  writeModel,
  writeRecord,
} from "../src/sweep/folder.js";
import { tidyRecords } from "../src/sweep/sweep.js";
import { environment } from "../src/system/environment.js";
import { UserError } from "../src/system/errors.js";
import { rankingTable, runTable } from "../src/terminal/tables.js";
import { runCli } from "./cli.js";
import { tinyModel, writeImageSet } from "./idx-files.js";
import { configOf, diverged, finished } from "./records.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-damaged-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const config = configOf(["relu", "swiglu"], [1, 2, 3]);
const records: RunRecord[] = config.seeds.flatMap((seed) => [
  finished("relu", seed, 0.7 + seed / 100),
  seed === 3 ? diverged("swiglu", seed) : finished("swiglu", seed, 0.8 + seed / 100),
]);
const testPart = { weights: new Int32Array(4).fill(1), clusters: Int32Array.of(0, 1, 2, 3) };
const run = { variant: "swiglu", seed: 2 };
const whole = records.find(({ variant, seed }) => variant === run.variant && seed === run.seed)!;
const models = (folder: string): string[] =>
  readdirSync(join(folder, "records")).filter((name) => name.endsWith(".onnx"));

/** All that is made of a folder's records. */
function everything(folder: string): void {
  const all = readRecords(folder, config);
  const summary = summarise(config, all);
  const analysis = analyse(config, all, testPart);
  const findings = findingsOf(summary, config, analysis, false);
  const matched = matchCosts(config, all);
  describeWaiting(config.steps, all);
  runTable(all, config.task);
  rankingTable(summary, config.task);
  const results = { config, tuning: undefined, summary, findings, analysis, matched, best: null };
  reportPage({ ...results, environment: environment(), records: all, isFixed: false });
}

describe("a record", () => {
  let folder: string;
  let file: string;
  beforeAll(async () => {
    folder = await openFolder(join(scratch, "records"), config);
    for (const record of records) await writeRecord(folder, record);
    file = recordFile(folder, run);
    everything(folder);
  });

  /** Whether the altered record is refused; anything but a sentence for the user fails the test. */
  function isRefused(content: string | Uint8Array, what: string): boolean {
    writeFileSync(file, content);
    try {
      everything(folder);
      return false;
    } catch (thrown) {
      expect(thrown, what).toBeInstanceOf(UserError);
      const { message } = thrown as UserError;
      expect(message, what).toContain(`${file} is not the record of a run: delete it`);
      expect(message, what).not.toMatch(/Unexpected token|at position|\bundefined \(/);
      expect(message.length, what).toBeLessThan(1000);
      return true;
    } finally {
      writeFileSync(file, prettyJson(whole));
    }
  }

  type Json = Record<string, unknown>;
  /** The places of an object, inside too; of a list the first and the last. */
  function* places(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
    if (path.length > 0) yield path;
    if (typeof value !== "object" || value === null) return;
    const keys = Object.keys(value);
    for (const key of Array.isArray(value) ? [...new Set([keys[0]!, keys.at(-1)!])] : keys)
      yield* places((value as Json)[key], [...path, key]);
  }
  const parentOf = (json: Json, path: readonly string[]): Json =>
    path.slice(0, -1).reduce((inner, key) => inner[key] as Json, json);
  const altered = (path: readonly string[], change: (parent: Json, key: string) => void): string => {
    const json = structuredClone(whole) as unknown as Json;
    change(parentOf(json, path), path.at(-1)!);
    return JSON.stringify(json).replace('"1e999"', "1e999");
  };

  test("without a key, or with something else in its place, is refused, or does no harm", () => {
    const values = [null, true, "x", "", -1, 0, 0.5, 7, 1e300, 2 ** 53, "1e999", [], {}, [null], { loss: 1 }];
    let tried = 0;
    let refused = 0;
    for (const path of places(whole)) {
      const what = path.join(".");
      const lacking = isRefused(
        altered(path, (parent, key) => delete parent[key]),
        `without ${what}`,
      );
      if (!/\.\d+$/.test(what)) expect(lacking, `without ${what}`).toBe(true);
      expect(
        isRefused(
          altered([...path.slice(0, -1), "more"], (parent, key) => {
            if (!Array.isArray(parent)) parent[key] = 1;
            else parent.push(1);
          }),
          `more beside ${what}`,
        ),
      ).toBe(true);
      for (const value of values) {
        tried++;
        refused += Number(
          isRefused(
            altered(path, (parent, key) => {
              parent[key] = value;
            }),
            `${what} = ${JSON.stringify(value)}`,
          ),
        );
      }
    }
    expect(tried).toBeGreaterThan(300);
    expect(refused / tried).toBeGreaterThan(0.75); // the others are values that it may have
  });

  test.each<[string, string | Uint8Array, boolean]>([
    ["nothing", "", true],
    ["null", "null", true],
    ["a list", "[]", true],
    ["half of it", prettyJson(whole).slice(0, 200), true],
    ["a byte order mark before it", `\ufeff${prettyJson(whole)}`, false],
    ["UTF-16", Buffer.from(prettyJson(whole), "utf16le"), true],
    ["bytes that are no text", Uint8Array.of(0xff, 0xfe, 0x00), true],
    ["brackets without end", "[".repeat(200_000), true],
    ["another seed", prettyJson({ ...whole, seed: 3 }), true],
    ["another variant", prettyJson({ ...whole, variant: "relu" }), true],
    ["a name from a prototype", prettyJson({ ...whole, learned: { constructor: [1] } }), true],
    ["more steps than a run has", prettyJson({ ...whole, curve: [{ step: 101, loss: 1 }] }), true],
    ["steps that fall", prettyJson({ ...whole, curve: [...(whole.curve ?? [])].reverse() }), true],
    ["a test loss fewer", prettyJson({ ...whole, testLosses: "AACAPwAAgD8AAIA/" }), true],
    [
      "test losses that are no numbers",
      prettyJson({ ...whole, testLosses: "AADAfwAAwH8AAMB/AADAfw==" }),
      true,
    ],
    ["a test loss cut in two", prettyJson({ ...whole, testLosses: "AACAPwAAgD8AAIA/AAA=" }), true],
    ["an accuracy in per cent", prettyJson({ ...whole, validation: { loss: 1, accuracy: 95 } }), true],
    ["no accuracy", prettyJson({ ...whole, validation: { loss: 1 } }), true],
    ["another score", prettyJson({ ...whole, validation: { loss: 0.1, accuracy: 0.9 } }), false],
  ])("that is %s", (_, content, refused) => expect(isRefused(content, "")).toBe(refused));

  test("with bytes changed, put in or taken out at random is refused, or does no harm", () => {
    const random = xoroshiro128plus(15);
    const text = Buffer.from(prettyJson(whole));
    for (let i = 0; i < 200; i++) {
      const at = uniformInt(random, 0, text.length - 1);
      const bytes = Buffer.from(
        Uint8Array.from({ length: uniformInt(random, 0, 3) }, () => uniformInt(random, 0, 255)),
      );
      const left = text.subarray(at + uniformInt(random, 0, 3));
      isRefused(Buffer.concat([text.subarray(0, at), bytes, left]), `${i}`);
    }
  });

  test("that is a folder is a sentence", () => {
    rmSync(file);
    mkdirSync(file);
    expect(() => everything(folder)).toThrow(/swiglu-2\.json cannot be read: it is a folder\.$/);
    rmSync(file, { recursive: true });
    writeFileSync(file, prettyJson(whole));
  });
});

describe("an altered score", () => {
  test("deletes no model: the best by its record has none, so none goes in its place", async () => {
    const folder = await openFolder(join(scratch, "models"), config);
    for (const record of records) {
      await writeRecord(folder, record);
      if (record.status === "finished") await writeModel(folder, record, Uint8Array.of(1));
    }
    tidyRecords(config, folder, bestRun);
    expect(models(folder)).toEqual(["swiglu-2.onnx"]);
    const file = recordFile(folder, { variant: "relu", seed: 1 });
    writeFileSync(file, prettyJson(finished("relu", 1, 0.99)));
    tidyRecords(config, folder, bestRun);
    expect(models(folder)).toEqual(["swiglu-2.onnx"]);
    writeFileSync(file, prettyJson(records[0]));
    tidyRecords(config, folder, bestRun);
    expect(models(folder)).toEqual(["swiglu-2.onnx"]);
  });

  test("only what sweeps leave half written is swept up", async () => {
    const folder = await openFolder(join(scratch, "temporaries"), config);
    for (const record of records) await writeRecord(folder, record);
    const names = ["mine.tmp", "relu-1.json.0123456789ab.tmp", "relu-1.claim.tmp"];
    for (const name of names) writeFileSync(join(folder, "records", name), "");
    tidyRecords(config, folder, bestRun);
    expect(names.map((name) => existsSync(join(folder, "records", name)))).toEqual([true, false, false]);
  });
});

describe("to the command line", () => {
  const data = join(scratch, "rows");
  const out = join(scratch, "out");
  const args = ["compare", "--data", data, ...tinyModel, "--batch", "16", "--steps", "20", "--out", out];
  args.push("--variants", "relu,swiglu", "--seeds", "2");
  let folder: string;
  beforeAll(async () => {
    writeImageSet(data);
    expect((await runCli(args, scratch)).code).toBe(0);
    folder = join(out, readdirSync(out)[0]!);
  });

  test.each<[string, () => string, (text: string) => string, RegExp]>([
    [
      "a record without a score",
      () => "records/relu-1.json",
      (t) => t.replace('"validation"', '"x"'),
      /relu-1\.json is not the record of a run: delete it/,
    ],
    [
      "a configuration that is none",
      () => "config.json",
      () => "{",
      /config\.json is not the configuration of a sweep .*delete it, and it is written anew/,
    ],
    [
      "another configuration",
      () => "config.json",
      (t) => t.replace('"steps": 20', '"steps": 21'),
      /config\.json is not the configuration of this sweep: move/,
    ],
    [
      "a changed test score",
      () => `records/${models(folder)[0]!.replace("onnx", "json")}`,
      (t) => t.replace(/("test": \{[^}]*"accuracy": )[\d.]+/, "$10.123"),
      /best\.onnx has a test accuracy of .*is damaged, or its record was changed\. Delete .*\.json/,
    ],
    [
      "a changed validation score of a run without a model",
      () =>
        `records/${["relu-1", "relu-2", "swiglu-1", "swiglu-2"].find((name) => !existsSync(join(folder, "records", `${name}.onnx`)))}.json`,
      (t) => t.replace(/("validation": \{[^}]*"loss": )[\d.]+/, "$10.0001"),
      /lacks the model of .*, the best by its record: .*Delete .*\.json/,
    ],
    [
      "a damaged model",
      () => `records/${models(folder)[0]}`,
      () => "no model",
      /is damaged, or its record was changed\. Delete/,
    ],
  ])("%s is a sentence, and nothing is lost", async (_, name, alter, sentence) => {
    const file = join(folder, name());
    const before = readFileSync(file);
    const kept = models(folder);
    writeFileSync(file, alter(before.toString("latin1")), "latin1");
    const { code, stderr } = await runCli(args, scratch);
    writeFileSync(file, before);
    expect([code, stderr]).toEqual([1, expect.stringMatching(sentence)]);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(models(folder)).toEqual(kept);
  });

  test("put right again, it goes on as if nothing had been", async () => {
    expect(await runCli(args, scratch)).toMatchObject({ code: 0, stderr: "" });
  });
});
