// Numbers for people: medians with their range, in a table.

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function summarise(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)]!, min: sorted[0]!, max: sorted.at(-1)! };
}

/** One line for each row: name, median, min..max in milliseconds. */
export function table(rows: readonly (Summary & { readonly name: string })[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const ms = (x: number): string => x.toFixed(1).padStart(6);
  return rows
    .map(({ name, median, min, max }) => `${name.padEnd(width)} ${ms(median)} ms  (${ms(min)} ..${ms(max)})`)
    .join("\n");
}
