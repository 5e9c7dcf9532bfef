// A finished sweep's folder becomes a small file with everything that the document needs; anything else is refused.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { folderName } from "../../src/config/config.js";
import type { Config } from "../../src/config/types.js";
import { collect, evidenceJson } from "../../src/evidence/collect.js";
import { firstEditionDocument } from "../../src/evidence/document.js";
import { taskDocument } from "../../src/evidence/section.js";
import type { RunRecord } from "../../src/records/record.js";
import { openFolder, writeRecord } from "../../src/sweep/folder.js";
import { madeUp, madeUpConfig, madeUpRecords, tuning } from "./made-up.js";

const losses = { swish: [0.4, 0.5, 0.4], glu: [0.3, 0.3, 0.4], swiglu: [0.3, 0.2, 0.3] };
const config = madeUpConfig("evidence-translation", losses);
const samples = [{ source: "a", reference: "b", output: "c" }];
const records = madeUpRecords(config, losses).map(
  (record): RunRecord => ({
    ...record,
    curve: [{ step: 1, loss: 1 / 3 }],
    ...(record.status === "finished" && { samples }),
  }),
);
const { analysis, environment } = madeUp("evidence-translation", losses);

const out = mkdtempSync(join(tmpdir(), "evidence-"));
const folder = join(out, folderName(config));

const roundAt = (learningRate: number): Config => {
  const variants = config.variants.map((variant) => ({ ...variant, learningRate }));
  return {
    ...config,
    variants,
    seeds: tuning.seeds,
    ...(config.task === "translation" && { translated: 1 }),
  };
};
const folderAt = (rate: number): string => join(out, folderName(roundAt(rate)));

beforeAll(async () => {
  await openFolder(out, config);
  for (const record of records) await writeRecord(folder, record);
  const results = { config, tuning, analysis, environment, records: [] };
  writeFileSync(join(folder, "results.json"), JSON.stringify(results));
  for (const rate of tuning.rates) {
    const place = await openFolder(out, roundAt(rate));
    for (const seed of tuning.seeds)
      for (const variant of Object.keys(losses)) await writeRecord(place, { ...records[0]!, variant, seed });
  }
});

afterAll(() => rmSync(out, { recursive: true }));

test("keeps what the document is made of, and what the runs and their tuning took", () => {
  const evidence = collect("evidence-translation", folder);
  expect(evidence.cost).toEqual({
    compared: { runs: 9, cpuSeconds: 18, seconds: 18 },
    tuned: { runs: 18, cpuSeconds: 36, seconds: 36 },
  });
  expect(evidence.analysis).toEqual(analysis);
  expect(evidence.records[0]).toMatchObject({ variant: "swish", testLosses: "", samples });
  expect(evidence.records[0]!.curve).toEqual([{ step: 1, loss: 0.333333 }]);
  expect(evidence.records.filter((record) => "samples" in record)).toHaveLength(3); // of the first seed
  expect(evidence.differences).toContain("--seeds 1,2,3 (8)");
  expect(evidence.differences).toContain("--tune 0.001,0.002,0.004 (0.008,0.016,0.032)");
  expect(evidence.differences).toContain("--context 16 (128)");
  expect(evidence.differences.join()).not.toMatch(/--tune-seeds|--data|--beam|--threads/);
});

test("a line for each run, and nothing lost in the JSON", () => {
  const evidence = collect("evidence-translation", folder);
  const json = evidenceJson(evidence);
  expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(evidence)));
  expect(json.split("\n").filter((line) => line.includes('"variant":"'))).toHaveLength(9);
});

test("what is not the finished sweep of that preset is refused, with the reason", () => {
  expect(() => collect("evidence", folder)).toThrow(/no preset "evidence": expected one of evidence-images/);
  expect(() => collect("evidence-language", folder)).toThrow(
    /is of translation on English-Spanish verses .* but evidence-language is of language/,
  );
  expect(() => collect("evidence-messages", folder)).toThrow(/dc342ae3d122.*25b7b0d20b39/);
  expect(() => collect("evidence-translation", join(out, "nowhere"))).toThrow(
    /results\.json cannot be read.*that compare has finished/s,
  );
  const other = join(out, "other");
  mkdirSync(other);
  writeFileSync(join(other, "results.json"), JSON.stringify({ config, tuning, analysis: null, environment }));
  expect(() => collect("evidence-translation", other)).toThrow(
    /no analysis, which takes two variants and three seeds/,
  );
  writeFileSync(join(other, "results.json"), JSON.stringify({ config, tuning, analysis, environment }));
  expect(() => collect("evidence-translation", other)).toThrow(
    /records of other seeds than its results\.json: start compare again/,
  );
});

test("a seed of which a run is missing is left out; a run of the tuning must be there", () => {
  const [second, tuned] = [
    join(folder, "records", "glu-2.json"),
    join(folderAt(0.002), "records", "glu-1002.json"),
  ];
  rmSync(second);
  expect(() => collect("evidence-translation", folder)).toThrow(/records of other seeds/);
  const shorter = { ...analysis, seeds: [1, 3], incomplete: [2] };
  writeFileSync(
    join(folder, "results.json"),
    JSON.stringify({ config, tuning, analysis: shorter, environment }),
  );
  const evidence = collect("evidence-translation", folder);
  expect(evidence.cost.compared.runs).toBe(8);
  const text = firstEditionDocument([evidence], undefined) + taskDocument(evidence);
  expect(text).toContain("Left out, because a variant's run is missing: seed 2.");
  expect(text).toContain("| Translation | 2 seeds of 3 variants |");
  rmSync(tuned);
  expect(() => collect("evidence-translation", folder)).toThrow(
    /lacks 1 of the runs that tuned: keep the folders/,
  );
});
