// The report's tables: the ranking, and every run.
import type { Family } from "../activation/samples.js";
import type { RunRecord } from "../records/record.js";
import type { Matched } from "../statistics/matched.js";
import { outcomesOf, show, showDifference, showEstimate } from "../statistics/metric.js";
import type { Summary } from "../statistics/summary.js";
import type { Tuning } from "../statistics/tuning.js";
import type { TaskKind } from "../tasks/registry.js";
import {
  matchedCells,
  matchedHead,
  runCells,
  runHead,
  tuningCells,
  tuningHead,
  withoutEmptyColumns,
} from "../terminal/tables.js";
import { grouped } from "../words/format.js";

export function rankingRows(
  { ranking, baseline }: Summary,
  task: TaskKind,
  families: ReadonlyMap<string, Family>,
): string {
  const [metric, ...others] = outcomesOf(task);
  const head = [
    "variant",
    `test ${metric.name}`,
    `against ${baseline}, ${metric.unit}`,
    ...others.map(({ name }) => `test ${name}`),
    "validation",
    "FFN parameters",
    "steps/s",
    "learned",
  ];
  const lines = ranking.map((variant) => {
    const { name, test, difference, validation, feedForwardParameters, stepsPerSecond, learned } = variant;
    const cells = [
      test === null ? "diverged" : showEstimate(metric, test.metric),
      name === baseline ? "baseline" : difference === null ? "" : showDifference(metric, difference.metric),
      ...others.map((other, i) => (test === null ? "" : show(other, test.others[i]!.mean))),
      validation === null ? "" : showEstimate(metric, validation.metric),
      grouped(feedForwardParameters),
      stepsPerSecond === null ? "" : stepsPerSecond.toFixed(1),
      Object.entries(learned)
        .map(([parameter, { mean }]) => `${parameter} ${mean.toFixed(3)}`)
        .join(", "),
    ];
    return { cells, ...variant };
  });
  const figures = withoutEmptyColumns(
    head.slice(1),
    lines.map(({ cells }) => cells),
  );
  const rows = lines.map(({ name, test, diverged }, i) => {
    const mark = diverged.length > 0 && test !== null ? ` (${diverged.length} diverged)` : "";
    const label = `<span class="key ${families.get(name) ?? "ungated"}"></span>${escapeHtml(name)}${mark}`;
    return `<tr${name === baseline ? ' class="baseline"' : ""}><td class="name">${label}</td>${figures.rows[i]!.map(cell).join("")}</tr>`;
  });
  return htmlTable([head[0]!, ...figures.head], rows);
}

export const runRows = (records: readonly RunRecord[], task: TaskKind): string =>
  htmlTable(
    runHead(task),
    records.map((record) => plainRow(runCells(record, task))),
  );

export const tuningRows = (tuning: Tuning): string =>
  htmlTable(tuningHead(tuning), tuningCells(tuning).map(plainRow));

export const matchedRows = (matched: Matched): string =>
  htmlTable(matchedHead, matchedCells(matched).map(plainRow));

/** Text that may stand in HTML, in attributes too. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}

export const plainRow = ([name = "", ...cells]: readonly string[]): string =>
  `<tr><td class="name">${escapeHtml(name)}</td>${cells.map(cell).join("")}</tr>`;

const cell = (text: string): string => `<td>${escapeHtml(text)}</td>`;

export function htmlTable([first = "", ...others]: readonly string[], rows: readonly string[]): string {
  const head = `<th scope="col" class="name">${first}</th>${others.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join("")}`;
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}

/** A wide table or chart in a frame that scrolls, and shows at its edges that it does; it can be reached with the keyboard. */
export const scrolling = (content: string): string =>
  `<div class="scroll" tabindex="0" role="region" aria-label="wide content, scrolls sideways">${content}</div>`;
