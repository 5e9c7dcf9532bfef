// Reads a formula's text as tokens: numbers, names, signs. Other ways to write the same (β, ², ×, **) end here.
import { mistake } from "./place.js";

export type Sign = "+" | "-" | "*" | "/" | "^" | "(" | ")" | "," | "?" | ":" | ">" | "<" | ">=" | "<=" | "=";

interface Place {
  /** Where it begins in the text, and what is written there. */
  readonly at: number;
  readonly written: string;
}
interface NumberToken extends Place {
  readonly kind: "number";
  readonly value: number;
}
export interface NameToken extends Place {
  readonly kind: "name";
  readonly name: string;
}
interface SignToken extends Place {
  readonly kind: "sign";
  readonly sign: Sign;
}
interface EndToken extends Place {
  readonly kind: "end";
}
export type Token = NumberToken | NameToken | SignToken | EndToken;

/** More than `text` ever writes of one expression. */
const longestFormula = 30_000;
const longestName = 64;

const greekLetters: Readonly<Record<string, string>> = {
  α: "alpha",
  β: "beta",
  γ: "gamma",
  δ: "delta",
  ε: "epsilon",
  λ: "lambda",
  μ: "mu",
  µ: "mu",
  σ: "sigmoid",
  τ: "tau",
  Φ: "normalCdf",
  π: "pi",
};
const otherSigns: Readonly<Record<string, Sign>> = {
  "**": "^",
  "·": "*",
  "⋅": "*",
  "×": "*",
  "∗": "*",
  "÷": "/",
  "−": "-",
  "≥": ">=",
  "≤": "<=",
};
const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

const space = /[ \t\r\n]+/y;
const number = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const name = /(?:[A-Za-z][A-Za-z0-9_]*)/y;
const greek = /([αβγδελμµστΦπ])(?:_([A-Za-z0-9]+)|([A-Za-z0-9_]*))/y;
const sign = /\*\*|>=|<=|[-+*/^(),?:><=·⋅×∗÷−≥≤]/y;
const raised = /([⁻]?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)/y;

/** The tokens of a text, an end token last. Throws a SyntaxError for what is no formula's. */
export function tokensOf(source: string): Token[] {
  if (source.length > longestFormula)
    throw new SyntaxError(
      `formula has ${source.length} characters: at most ${longestFormula} are read; give large expressions as JSON`,
    );
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  while (at < source.length) {
    const blank = take(space);
    if (blank) {
      at += blank[0].length;
      continue;
    }
    const found = numberAt() ?? nameAt() ?? signAt() ?? powerAt();
    if (found === undefined) throw mistake(source, at, strange(source, at));
    at += found;
  }
  tokens.push({ kind: "end", at: source.length, written: "" });
  return tokens;

  function numberAt(): number | undefined {
    const written = take(number)?.[0];
    if (written === undefined) return undefined;
    const value = Number(written);
    if (!Number.isFinite(value))
      throw mistake(source, at, "expected a number that a float64 can hold, got one that is too large.");
    const next = source[at + written.length] ?? "";
    if (/[A-Za-z0-9_.αβγδελμµστΦπ]/.test(next))
      throw mistake(
        source,
        at + written.length,
        /[\d.]/.test(next)
          ? `expected the end of the number ${clipped(written)}, got "${next}".`
          : `expected an operator after the number ${clipped(written)}, got "${next}": write a product with *.`,
      );
    tokens.push({ kind: "number", at, written, value });
    return written.length;
  }

  function nameAt(): number | undefined {
    const latin = take(name);
    const letter = latin ? null : take(greek);
    const written = (latin ?? letter)?.[0];
    if (written === undefined) return undefined;
    if (written.length > longestName)
      throw mistake(
        source,
        at,
        `expected a name of at most ${longestName} characters, got ${written.length}.`,
      );
    tokens.push({ kind: "name", at, written, name: letter ? spelled(letter) : written });
    return written.length;
  }

  function signAt(): number | undefined {
    const written = take(sign)?.[0];
    if (written === undefined) return undefined;
    const same = Object.hasOwn(otherSigns, written) ? otherSigns[written] : undefined;
    tokens.push({ kind: "sign", at, written, sign: same ?? (written as Sign) });
    return written.length;
  }

  /** ² is ^2. */
  function powerAt(): number | undefined {
    const [written, minus, digits = ""] = take(raised) ?? [];
    if (written === undefined) return undefined;
    tokens.push({ kind: "sign", at, written, sign: "^" });
    if (minus) tokens.push({ kind: "sign", at, written, sign: "-" });
    const value = Number(Array.from(digits, (digit) => superscripts.indexOf(digit)).join(""));
    tokens.push({ kind: "number", at, written, value });
    return written.length;
  }
}

/** β is beta; α_p is alphaP, whose symbol it is; αP is alphaP too. */
function spelled([, letter = "", index, rest = ""]: RegExpExecArray): string {
  const base = greekLetters[letter] as string;
  return index === undefined ? base + rest : base + index.charAt(0).toUpperCase() + index.slice(1);
}

const clipped = (text: string): string => (text.length > 20 ? `${text.slice(0, 20)}...` : text);

function strange(source: string, at: number): string {
  const point = source.codePointAt(at) as number;
  const character = String.fromCodePoint(point);
  const code = `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
  const shown = /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(character)
    ? `"${character}" (${code})`
    : `the character ${code}`;
  const hint: Readonly<Record<string, string>> = {
    "|": " Write abs(x) for |x|.",
    "[": " Brackets are round.",
    "{": " Brackets are round.",
    "√": " Write sqrt(x).",
    "%": " There is no remainder.",
    ";": " Separate with a comma.",
  };
  return `expected a number, a name or an operator, got ${shown}.${Object.hasOwn(hint, character) ? hint[character] : ""}`;
}
