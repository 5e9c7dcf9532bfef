// Numbers and polynomials as WGSL text, and which functions of a library a piece of code needs.

import { horner } from "../../expression/fit.js";

/** A number as an f32 literal: the fewest of nine digits, which are enough for any float32. */
export function literal(value: number): string {
  if (!Number.isFinite(Math.fround(value)))
    throw new RangeError(`the constant ${value} is too large for float32`);
  return `${Number(Math.fround(value).toPrecision(9))}f`;
}

/** The polynomial with these coefficients, lowest power first, by Horner's rule. */
export function polynomial(coefficients: readonly number[], t: string): string {
  return horner(coefficients, literal, (factor, sum) => `${literal(factor)} + ${t} * (${sum})`);
}

/** WGSL declarations by the name that code refers to them by. */
export type Library = Readonly<Record<string, string>>;

/** The code behind those declarations of the library that it needs, directly or through others. */
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
