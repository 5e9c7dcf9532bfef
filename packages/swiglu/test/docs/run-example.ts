// Runs a documented example: every line that ends in a comment with a value is compared with it.
// "// -2.78..." means a number that begins so; prose comments are left alone.
import { expect } from "vitest";

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
  ...parameters: string[]
) => (...values: unknown[]) => Promise<void>;

/** Runs the code with the names of `scope` defined. Returns how many values were compared. */
export async function runExample(code: string, scope: Readonly<Record<string, unknown>>): Promise<number> {
  let compared = 0;
  const check = (value: unknown, documented: string): void => {
    compared++;
    if (/^-?[\d.]+\.\.\.$/.test(documented)) expect(String(value)).toContain(documented.slice(0, -3));
    else expect(value).toEqual(literal(documented));
  };
  const lines = code.split("\n").map((line) => {
    const [, statement, comment] = /^(.*\S)\s+\/\/ (.+)$/.exec(line) ?? [];
    if (statement === undefined || comment === undefined || !isValue(comment)) return line;
    const [, declaration = "", expression] = /^((?:const \w+ = )?)(.*?);?$/.exec(statement) ?? [];
    const name = /const (\w+)/.exec(declaration)?.[1];
    return name
      ? `${statement}\n__check(${name}, ${JSON.stringify(comment)});`
      : `__check(${expression}, ${JSON.stringify(comment)});`;
  });
  const names = Object.keys(scope);
  await new AsyncFunction(...names, "__check", `{\n${lines.join("\n")}\n}`)(...Object.values(scope), check);
  return compared;
}

/** Whether a comment is a value: a number, a string, an array or an object. */
const isValue = (comment: string): boolean =>
  /^(-?[\d.]+(\.\.\.)?|".*"|\[.*\]|\{.*\}|Float32Array.*)$/.test(comment);

function literal(documented: string): unknown {
  const typed = /^Float32Array(?:\(\d+\))? (\[.*\])$/.exec(documented);
  if (typed) return Float32Array.from(literal(typed[1] as string) as number[]);
  return new Function(`return (${documented})`)() as unknown;
}
