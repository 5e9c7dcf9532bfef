// A report as a person reads it: one line for layers that are alike, below all of them what says so, then what is odd.
import { layerRange } from "../check/against.js";
import type { BlockReport, Report } from "../check/block-report.js";
import { type Field, shownParameters } from "../check/field.js";

/** Wraps text for a terminal; plain text where colours are not wanted. */
export type Paint = (style: "bold" | "dim" | "red" | "yellow" | "green", text: string) => string;

const codes = { bold: 1, dim: 2, red: 31, yellow: 33, green: 32 } as const;
export const coloured: Paint = (style, text) => `\u001b[${codes[style]}m${text}\u001b[0m`;
export const plain: Paint = (_, text) => text;

/** The lines of a report. */
export function renderReport(name: string, report: Report, paint: Paint): string[] {
  const { format, family, blocks, findings } = report;
  const head = `${paint("bold", name)}: ${format}, ${family || "no family given"}`;
  if (blocks.length === 0)
    return [head, paint("yellow", "no feed-forward block was found"), ...renderFindings(findings, paint)];
  const groups = grouped(blocks);
  const numbered = groups.length > 1;
  const titles = numbered ? ["#", ...columns] : columns;
  const rows = groups.map(({ block, layers }, i) => [
    ...(numbered ? [String(i + 1)] : []),
    ...rowOf(block, layers),
  ]);
  const widths = titles.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] as string).length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join("  ")
      .trimEnd();
  return [
    head,
    paint("dim", line(titles)),
    ...groups.map(({ block }, i) => {
      const text = line(rows[i] as string[]);
      return block.activation.value === "unknown" ? paint("yellow", text) : text;
    }),
    ...reasons(groups.map(({ block }) => block)).map((text) => paint("dim", text)),
    ...renderFindings(findings, paint),
  ];
}

/** What says so, each sentence once, with the rows that it is about where it is not all of them. */
function reasons(blocks: readonly BlockReport[]): string[] {
  const rowsOf = new Map<string, number[]>();
  blocks.forEach((block, i) => {
    for (const text of evidenceOf(block)) rowsOf.set(text, [...(rowsOf.get(text) ?? []), i + 1]);
  });
  const kinds = ["activation", "layout", "orientation", "also"];
  const kindOf = ([text]: readonly [string, unknown]): number =>
    kinds.findIndex((kind) => text.startsWith(kind));
  const sorted = [...rowsOf].sort((a, b) => kindOf(a) - kindOf(b));
  return sorted.map(([text, rows]) => {
    const about = rows.length === blocks.length ? "" : `[${layerRange(rows).replace(/^layers? /, "")}] `;
    return `  ${about}${text}`;
  });
}

const columns = ["layers", "role", "activation", "layout", "weights", "dModel", "dFf", "experts", "stored"];

function rowOf(block: BlockReport, layers: readonly number[]): string[] {
  const { role, activation, parameters, layout, orientation, dModel, dFf, experts, stored, extras } = block;
  const values = parameters.value === "unknown" ? [] : shownParameters(parameters.value);
  const formula = [activation.value, ...values].join(" ");
  return [
    layerRange(layers).replace(/^layers? /, ""),
    role,
    extras.length > 0 ? `${formula} and more` : formula,
    layout.value,
    orientation.value,
    String(dModel.value),
    String(dFf.value),
    String(experts.value),
    stored.value,
  ];
}

function evidenceOf({ activation, layout, orientation, extras }: BlockReport): string[] {
  const said = (what: string, { evidence, strength }: Field<unknown>): string =>
    `${what}: ${evidence}${strength === "none" ? "" : ` (${strength})`}`;
  return [
    said("activation", activation),
    said("layout", layout),
    ...(orientation.strength === "tensors" ? [] : [said("orientation", orientation)]),
    ...extras.map((extra) => `also: ${extra}`),
  ];
}

const renderFindings = (findings: readonly string[], paint: Paint): string[] =>
  findings.map((finding) => `${paint("yellow", "!")} ${finding}`);

/** Blocks that are alike, with their layers, in the order of the first. */
function grouped(blocks: readonly BlockReport[]): { block: BlockReport; layers: number[] }[] {
  const groups = new Map<string, { block: BlockReport; layers: number[] }>();
  for (const block of blocks) {
    const { stack, role, activation, parameters, layout, orientation, dModel, dFf, experts, stored } = block;
    const key = JSON.stringify([
      stack,
      role,
      ...[activation, parameters, layout, orientation, dModel, dFf, experts, stored].map(
        ({ value }) => value,
      ),
    ]);
    const group = groups.get(key) ?? { block, layers: [] };
    group.layers.push(block.layer ?? 0);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** A line broken between words where it is wider than a terminal, what follows set in; colours take no room. */
export function folded(line: string, width: number): string {
  const lines: string[] = [];
  let current: string | undefined;
  for (const word of line.split(" ")) {
    const longer = current === undefined ? word : `${current} ${word}`;
    if (current === undefined || roomOf(longer) <= width || current.trim() === "") current = longer;
    else {
      lines.push(current);
      current = `    ${word}`;
    }
  }
  return [...lines, current].join("\n");
}

/** How many places a text takes on a terminal. */
const roomOf = (text: string): number =>
  Object.values(codes).reduce(
    (left, code) => left.replaceAll(`\u001b[${code}m`, ""),
    text.replaceAll("\u001b[0m", ""),
  ).length;
