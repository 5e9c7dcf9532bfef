// The symbol of each name in formulas for people: g for gate, β for beta, α with index p for alphaP. Every notation uses it.

/** A letter or a word, and the index below it where there is one. */
export interface FormulaSymbol {
  readonly letter: string;
  readonly index?: string;
}

const greekLetters: Readonly<Record<string, string>> = {
  alpha: "α",
  beta: "β",
  gamma: "γ",
  delta: "δ",
  epsilon: "ε",
  lambda: "λ",
  mu: "μ",
  tau: "τ",
};

/** The name of each Greek letter. */
export const greekNames: ReadonlyMap<string, string> = new Map(
  Object.entries(greekLetters).map(([name, letter]) => [letter, name]),
);

const inputs: Readonly<Record<string, string>> = { gate: "g", up: "u" };

const withIndex = new RegExp(`^(${Object.keys(greekLetters).join("|")})(?:_?([A-Z][A-Za-z]*|\\d+))?$`);

/** A symbol for each name: `{ letter: "β" }` for beta, `{ letter: "α", index: "p" }` for alphaP. Other words stay themselves. */
export function symbolOf(name: string): FormulaSymbol {
  if (Object.hasOwn(inputs, name)) return { letter: inputs[name] as string };
  const [, greek, index] = withIndex.exec(name) ?? [];
  if (greek === undefined) return { letter: name };
  const letter = greekLetters[greek] as string;
  return index === undefined ? { letter } : { letter, index: index.charAt(0).toLowerCase() + index.slice(1) };
}

/**
 * The symbol of a parameter, an input or another name as text, as formulas show it: in LaTeX, MathML and captions.
 *
 * @example
 * symbol("beta") // "β"
 * symbol("alphaP") // "α_p"
 * symbol("gate") // "g"
 */
export function symbol(name: string): string {
  const { letter, index } = symbolOf(name);
  return index === undefined ? letter : `${letter}_${index}`;
}
