// Numbers for people: medians with their range.

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function summarise(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)]!, min: sorted[0]!, max: sorted.at(-1)! };
}

/** How many times as long the first took as the second, round by round. */
export const ratios = (times: readonly number[], reference: readonly number[]): Summary =>
  summarise(times.map((time, round) => time / reference[round]!));

/** One line for each row: name, median, min..max in milliseconds. */
export function table(rows: readonly (Summary & { readonly name: string })[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const ms = (x: number): string => x.toFixed(1).padStart(6);
  return rows
    .map(({ name, median, min, max }) => `${name.padEnd(width)} ${ms(median)} ms  (${ms(min)} ..${ms(max)})`)
    .join("\n");
}

/** A table in Markdown; all columns but the first are numbers. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
