// JSON files that stay short: one line for each property of the outermost object, numbers with six digits.
const short = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;

export const jsonLines = (data: object): string =>
  `{\n${Object.entries(data)
    .map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value, short)}`)
    .join(",\n")}\n}\n`;
