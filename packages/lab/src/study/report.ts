// What a finished study says: to the terminal, and as a page. The verdicts come first.
import { htmlDocument } from "../report/document.js";
import { bullets } from "../report/page.js";
import { escapeHtml, htmlTable, plainRow, scrolling } from "../report/tables.js";
import { writeResult } from "../sweep/folder.js";
import { heading, wrap } from "../terminal/style.js";
import { table } from "../terminal/table.js";
import { type Answer, analyseStudy, type StudyAnalysis } from "./analysis.js";
import { differenceKeys, differencePlot, type ForestRow, forestPlot } from "./charts.js";
import { verdictLength } from "./lengths.js";
import type { StudyRecord } from "./types.js";
import { answerText, lengthCells, readingTexts, trendTexts, verdictText } from "./words.js";

/** Writes report.html, and returns what to print. */
export async function writeStudyReport(
  folder: string,
  study: StudyRecord,
): Promise<{ text: string; report: string }> {
  const analysis = analyseStudy(study);
  const report = await writeResult(folder, "report.html", studyPage(study, analysis));
  return { text: studyText(study, analysis), report };
}

const isFixed = ({ preset, remarks }: StudyRecord): boolean =>
  preset !== undefined && remarks.some((remark) => remark.includes("as it stands"));

const nameOf = ({ subject, rival }: Answer): string => `${subject} against ${rival}`;

function studyText(study: StudyRecord, { widths, slopes }: StudyAnalysis): string {
  const parts = widths.flatMap(({ width, answers, gaps }) => [
    heading(`\nAnswers${widths.length > 1 ? ` at width ${width}` : ""}`),
    ...answers.map((answer) => wrap(answerText(answer, isFixed(study)))),
    ...gaps.map(wrap),
    ...answers.map((answer) => {
      const { head, rows } = lengthCells(answer);
      return `${heading(`\n${nameOf(answer)}`)}\n${table(head, rows)}`;
    }),
  ]);
  return [
    ...parts,
    ...trendTexts({ widths, slopes }).map(wrap),
    heading("\nHow to read this"),
    ...readingTexts(study).map(wrap),
  ].join("\n");
}

/** The rows of the forest plot: the answers that have a multiplier at the verdict length. */
export function forestRows({ widths }: StudyAnalysis, lengths: readonly number[], about = ""): ForestRow[] {
  const at = verdictLength(lengths);
  return widths.flatMap(({ width, answers }) =>
    answers.flatMap((answer): ForestRow[] => {
      const found = answer.lengths.find(({ length }) => length === at)?.parts;
      if (!answer.isPrimary || found?.test.multiplier == null || found.validation.multiplier === null)
        return [];
      const where = [about, ...(widths.length > 1 ? [`width ${width}`] : [])].filter((text) => text !== "");
      const name = `${answer.subject} / ${answer.rival}${where.length > 0 ? `, ${where.join(", ")}` : ""}`;
      return [{ name, parts: { test: found.test.multiplier, validation: found.validation.multiplier } }];
    }),
  );
}

function studyPage(study: StudyRecord, analysis: StudyAnalysis): string {
  const { widths } = analysis;
  const rows = forestRows(analysis, study.lengths);
  const name = study.task.data.name;
  const title = `Which activation learns ${name} best, and for how long?`;
  const verdicts = widths.flatMap(({ width, answers }) =>
    answers.flatMap((answer) =>
      answer.verdict === null
        ? []
        : [
            `${nameOf(answer)}${widths.length > 1 ? ` at width ${width}` : ""}: ${verdictText(answer.verdict)}.`,
          ],
    ),
  );
  return htmlDocument(
    title,
    `<header>
<p class="eyebrow">swiglu-lab: ${study.variants.length} variants, ${study.seeds.length} seeds, full runs of ${study.lengths.join(", ")} passes</p>
<h1>${escapeHtml(title)}</h1>
<p class="lead">${verdicts.length > 0 ? verdicts.map(escapeHtml).join("<br>") : "These runs give no verdict."}</p>
<p>${escapeHtml(isFixed(study) ? "The questions and the rule were fixed in advance, in docs/method.md." : "The questions are those of docs/method.md; these options were not fixed in advance.")}</p>
</header>
${
  rows.length === 0
    ? ""
    : `<section>
<h2>In compute</h2>
<ul class="legend"><li><span class="key gated"></span>test part</li><li><span class="key ungated"></span>validation part</li><li><span class="key baseline"></span>band: within 5 %</li></ul>
<figure>${scrolling(forestPlot(rows).chart)}</figure>
</section>`
}
${widths
  .map(({ width, answers, gaps }) => {
    const many = answers.some(({ lengths }) => lengths.length > 1);
    return `<section>
<h2>${widths.length > 1 ? `Width ${width}` : "Length by length"}</h2>
${bullets([...answers.map((answer) => answerText(answer, isFixed(study))), ...gaps])}
${
  many
    ? `<figure>${scrolling(differencePlot(answers).chart)}<ul class="legend">${differenceKeys(answers)
        .map(
          ({ name: pair, colour }) =>
            `<li><span class="key" style="color:${colour}"></span>${escapeHtml(pair)}</li>`,
        )
        .join("")}</ul><figcaption>Test part; bands are 95 % intervals.</figcaption></figure>`
    : ""
}
${answers
  .map((answer) => {
    const { head, rows: cells } = lengthCells(answer);
    return `<h3>${escapeHtml(nameOf(answer))}</h3>${scrolling(htmlTable(head, cells.map(plainRow)))}`;
  })
  .join("\n")}
</section>`;
  })
  .join("\n")}
<section>
<h2>How to read this</h2>
${bullets([...trendTexts(analysis), ...readingTexts(study)])}
<p>${escapeHtml(study.introduction)}</p>
<details><summary>Learning rates</summary>${tuningTables(study)}</details>
</section>`,
  );
}

function tuningTables({ tuning, cells }: StudyRecord): string {
  if (tuning.length === 0) return "<p>They were given.</p>";
  const used = cells.map(({ width, length, config }) =>
    plainRow([`${width}`, `${length}`, ...config.variants.map(({ learningRate }) => `${learningRate}`)]),
  );
  const names = cells[0]?.config.variants.map(({ name }) => name) ?? [];
  return [
    scrolling(htmlTable(["width", "passes", ...names], used)),
    ...tuning.map(({ width, length, rates, variants }) => {
      const rows = variants.map(({ name, losses }) =>
        plainRow([
          name,
          ...losses.map((seeds) =>
            seeds.some((loss) => loss === null)
              ? "diverged"
              : (seeds.reduce<number>((sum, loss) => sum + loss!, 0) / seeds.length).toFixed(4),
          ),
        ]),
      );
      return `<p>Mean validation losses of the tuning at width ${width}, ${length} passes:</p>${scrolling(htmlTable(["variant", ...rates.map(String)], rows))}`;
    }),
  ].join("\n");
}
