// docs/evidence.md and its pictures are what the committed results say; `npm run docs` writes them anew.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { presetNames } from "../../src/config/presets.js";
import { curvesFigure, rankingFigure } from "../../src/evidence/charts.js";
import { evidenceDocument } from "../../src/evidence/document.js";
import type { Evidence } from "../../src/evidence/types.js";
import type { ProbeResults } from "../../src/probe/types.js";
import { probeWords } from "../../src/probe/words.js";

const docs = new URL("../../../../docs/", import.meta.url);
const pathOf = (name: string): string => fileURLToPath(new URL(`evidence/${name}`, docs));
const read = <T>(name: string): T | undefined =>
  existsSync(pathOf(name)) ? JSON.parse(readFileSync(pathOf(name), "utf8")) : undefined;

const all = presetNames.flatMap((preset) => read<Evidence>(`${preset}.json`) ?? []);
const probe = read<ProbeResults>("probe.json");

test("docs/evidence.md is current", async () => {
  const words = probe && probeWords(probe).shown;
  await expect(evidenceDocument(all, words)).toMatchFileSnapshot(fileURLToPath(new URL("evidence.md", docs)));
});

for (const evidence of all) {
  const { preset } = evidence;
  test(`the pictures of ${preset} are current`, async () => {
    await expect(rankingFigure(evidence)).toMatchFileSnapshot(pathOf(`${preset}-ranking.svg`));
    await expect(curvesFigure(evidence)).toMatchFileSnapshot(pathOf(`${preset}-curves.svg`));
  });
  test(`${preset}.json is what its name says, and small`, () => {
    expect(presetNames).toContain(preset);
    expect(statSync(pathOf(`${preset}.json`)).size).toBeLessThan(400_000);
  });
}

test("every picture belongs to results", () => {
  const pictures = existsSync(pathOf(""))
    ? readdirSync(pathOf("")).filter((name) => name.endsWith(".svg"))
    : [];
  // The first time, they are not written yet.
  const known = all.flatMap(({ preset }) => [`${preset}-curves.svg`, `${preset}-ranking.svg`]);
  expect(known).toEqual(expect.arrayContaining(pictures));
});
