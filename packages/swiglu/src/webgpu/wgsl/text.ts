// Numbers and polynomials as WGSL text, and the choice of library functions that a piece of code needs.

import { horner } from "../../expression/fit.js";

/** A number as an f32 literal, with at most nine digits, which are enough for any float32. */
export function literal(value: number): string {
  if (!Number.isFinite(Math.fround(value)))
    throw new RangeError(`the constant ${value} is too large for float32`);
  return `${Number(Math.fround(value).toPrecision(9))}f`;
}

/** The polynomial with these coefficients, lowest power first, by Horner's rule. */
export function polynomial(coefficients: readonly number[], t: string): string {
  return horner(coefficients, literal, (factor, sum) => `${literal(factor)} + ${t} * (${sum})`);
}

/** WGSL declarations, by the name under which code refers to them. */
export type Library = Readonly<Record<string, string>>;

/** The declarations of the library that the code needs, directly or through others, followed by the code. */
export function withDeclarations(library: Library, code: string): string {
  const needed = new Set<string>();
  const look = (text: string): void => {
    for (const [name] of text.replace(/\/\/.*/g, "").matchAll(/\b[A-Za-z]\w*\b/g)) {
      if (needed.has(name) || !Object.hasOwn(library, name)) continue;
      needed.add(name);
      look(library[name] as string);
    }
  };
  look(code);
  const declarations = Object.entries(library).flatMap(([name, text]) => (needed.has(name) ? [text] : []));
  return [...declarations, code].join("\n\n");
}
