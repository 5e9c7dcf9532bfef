// Presets: each is a comparison that can be made, what is given beside one counts and is named, and missing data is asked for.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { CompareOptions } from "../src/commands/plan.js";
import { complete } from "../src/config/defaults.js";
import { parseGrid } from "../src/config/learning-rates.js";
import { matchAll } from "../src/config/matching.js";
import { otherData, type PresetName, presetNames, presets, withPreset } from "../src/config/presets.js";
import { parseSeeds } from "../src/config/seeds.js";
import { allActivations, defaultVariants, resolveVariants } from "../src/config/variants.js";
import { runCli } from "./cli.js";
import { tinyModel, writeImageSet } from "./idx-files.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-presets-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** What the command line gives where the user gives nothing. */
const plain: CompareOptions = {
  task: "images",
  variants: defaultVariants,
  activation: [],
  seeds: "3",
  threads: 1,
  out: "runs",
  checkpointInterval: 30,
};

describe.each(presetNames as PresetName[])("%s", (name) => {
  const { options, data } = presets[name];

  test("is complete, and its variants match", () => {
    const settings = complete(options.task, options);
    for (const key of Object.keys(settings)) expect(options).toHaveProperty(key);
    expect(() =>
      matchAll(resolveVariants(options.variants, allActivations([])), settings.width, settings.heads),
    ).not.toThrow();
  });

  test("tunes on other seeds", () => {
    const seeds = parseSeeds(options.seeds);
    expect(seeds.length).toBeGreaterThanOrEqual(5);
    expect(parseSeeds(options.tuneSeeds).filter((seed) => seeds.includes(seed))).toEqual([]);
    expect(parseGrid(options.tune).length).toBeGreaterThanOrEqual(3);
  });

  test("names its data", () => {
    expect(data.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(otherData(name, data.sha256)).toEqual([]);
    expect(otherData(name, "f".repeat(64))[0]).toContain(`SHA-256 ffffffffffff; that of ${data.name} is`);
  });
});

describe("beside a preset", () => {
  test("nothing: its options in place of the defaults", () => {
    const { options, differences } = withPreset("evidence-language", plain, []);
    expect(differences).toEqual([]);
    expect(options).toEqual({ ...plain, ...presets["evidence-language"].options });
  });

  test("what is given counts, and is named where it differs", () => {
    const given = {
      ...plain,
      steps: 7,
      width: 64,
      seeds: "3",
      tuneSeeds: "9,",
      out: "x",
      activation: ["a.json"],
    };
    const keys = ["steps", "width", "seeds", "tuneSeeds", "out", "activation"] as const;
    const { options, differences } = withPreset("evidence-language", given, keys);
    expect(options).toMatchObject({
      steps: 7,
      seeds: "3",
      tuneSeeds: "9,",
      out: "x",
      depth: 4,
      context: 128,
    });
    expect(differences.toSorted()).toEqual([
      "--activation a.json (none)",
      "--seeds 3 (8)",
      "--steps 7 (1190)",
      "--tune-seeds 9, (1001,1002)",
    ]);
  });

  test("a learning rate takes the place of tuning", () => {
    const { options, differences } = withPreset("evidence-messages", { ...plain, learningRate: "0.01" }, [
      "learningRate",
    ]);
    expect([options.tune, options.tuneSeeds]).toEqual([undefined, undefined]);
    expect(differences).toEqual(["--learning-rate 0.01 (in place of --tune 0.004,0.008,0.016)"]);
  });
});

test.each([
  [
    "evidence-images",
    /needs Fashion-MNIST, which does not come with the lab: .*dataset-fashion-mnist.* --data/,
  ],
  [
    "evidence-translation",
    /needs English-Spanish verses.*scripts\/verses\.mjs > verses\.tsv.* --data verses\.tsv/,
  ],
])("%s without its data says how to get it", async (name, message) => {
  const { code, stdout, stderr } = await runCli(["compare", "--preset", name], scratch);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(message);
});

test("a preset made small runs, and says in what it differs", async () => {
  const data = writeImageSet(join(scratch, "rows"));
  const small = [...tinyModel, "--batch", "16", "--steps", "20"];
  const few = ["--variants", "relu,swiglu", "--seeds", "1", "--tune", "0.01,0.02", "--tune-seeds", "7,"];
  const { code, stdout } = await runCli(
    ["compare", "--preset", "evidence-images", "--data", data, ...small, ...few],
    scratch,
  );
  expect(code).toBe(0);
  const text = stdout.replaceAll("\n", " ");
  expect(text).toMatch(
    /Preset evidence-images, but for .*--seeds 1 \(10\), .*--steps 20 \(2580\), .*--data \(SHA-256 /,
  );
  expect(text).toContain("Tuned learning rates");
});
