// Plain tables for the terminal: columns set apart by spaces under an underlined head.
import Table from "cli-table3";

/** Draws a table; columns whose cells all look like numbers stand to the right, the others to the left. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const output = new Table({
    head: [...head],
    chars: frameless,
    colAligns: head.map((_, column) =>
      rows.every((row) => isNumeric(row[column] ?? "")) ? "right" : "left",
    ),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  output.push(...rows.map((row) => row.map((cell) => cell.replace(/\s+/g, " "))));
  const lines = output
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
  const rule = "\u2500".repeat(Math.min(100, Math.max(...lines.map((line) => line.length))));
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

const isNumeric = (cell: string): boolean => /^$|^[+\u2212\d]/.test(cell);

const frameless = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};
