// Markdown for the documents that are made of results: tables, and text that may stand in their cells.

/** What a table holds; the first column is of names, the others of figures. */
interface Cells {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * A table of a name and figures.
 *
 * @param texts for a table whose other columns are text as well
 */
export function markdownTable({ head, rows }: Cells, { texts = false } = {}): string {
  const row = (cells: readonly string[]): string => `| ${cells.map(cellText).join(" | ")} |`;
  const rule = head.map((_, i) => (i === 0 || texts ? "---" : "---:"));
  return [row(head), row(rule), ...rows.map(row)].join("\n");
}

export const markdownBullets = (sentences: readonly string[]): string =>
  sentences.map((sentence) => `- ${sentence}`).join("\n");

const cellText = (text: string): string => text.replaceAll("|", "\\|").replace(/\s+/g, " ");

/** Text of others, such as a translation, that must not be taken for Markdown; tables see to the bars between cells. */
export const plainMarkdown = (text: string): string => text.replace(/[\\`*_{}[\]<>#~$]/g, "\\$&");
