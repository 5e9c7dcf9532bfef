// docs/evidence.md and its pictures are what the committed results say; `npm run docs` writes them anew.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { presetNames } from "../../src/config/presets.js";
import { studyPresetNames } from "../../src/config/study-presets.js";
import { curvesFigure, rankingFigure } from "../../src/evidence/charts.js";
import { firstEditionDocument } from "../../src/evidence/document.js";
import { overviewDocument } from "../../src/evidence/overview.js";
import { forestFigure, trainingFigure } from "../../src/evidence/overview-charts.js";
import { taskDocument } from "../../src/evidence/section.js";
import { studyDocument } from "../../src/evidence/study-document.js";
import type { Evidence } from "../../src/evidence/types.js";
import type { ProbeResults } from "../../src/probe/types.js";
import { probeWords } from "../../src/probe/words.js";
import { analyseStudy } from "../../src/study/analysis.js";
import type { StudyRecord } from "../../src/study/types.js";

const docs = new URL("../../../../docs/", import.meta.url);
const pathOf = (name: string): string => fileURLToPath(new URL(`evidence/${name}`, docs));
const read = <T>(name: string): T | undefined =>
  existsSync(pathOf(name)) ? JSON.parse(readFileSync(pathOf(name), "utf8")) : undefined;

const all = presetNames.flatMap((preset) => read<Evidence>(`${preset}.json`) ?? []);
const probe = read<ProbeResults>("probe.json");

const studies = studyPresetNames.flatMap((preset) => {
  const study = read<StudyRecord>(`${preset}.json`);
  return study === undefined ? [] : [{ study, analysis: analyseStudy(study) }];
});

test("docs/evidence.md and its pictures are current", async () => {
  await expect(overviewDocument(all, studies)).toMatchFileSnapshot(
    fileURLToPath(new URL("evidence.md", docs)),
  );
  await expect(forestFigure(all, studies)).toMatchFileSnapshot(pathOf("forest.svg"));
  await expect(trainingFigure(all)).toMatchFileSnapshot(pathOf("training.svg"));
});

test("docs/evidence/first-edition.md is current", async () => {
  const words = probe && probeWords(probe).shown;
  await expect(firstEditionDocument(all, words)).toMatchFileSnapshot(pathOf("first-edition.md"));
});

for (const finished of studies) {
  const { preset } = finished.study;
  test(`docs/evidence/${preset}.md is current`, async () => {
    await expect(studyDocument(finished)).toMatchFileSnapshot(pathOf(`${preset}.md`));
  });
}

for (const evidence of all) {
  const { preset } = evidence;
  test(`docs/evidence/${preset}.md and its pictures are current`, async () => {
    await expect(taskDocument(evidence)).toMatchFileSnapshot(pathOf(`${preset}.md`));
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
  expect([...known, "forest.svg", "training.svg"]).toEqual(expect.arrayContaining(pictures));
});
