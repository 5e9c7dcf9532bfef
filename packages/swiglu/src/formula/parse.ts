// Formulas as text to expressions: the inverse of what `text` and `textWithParts` write. Nothing is run.
import { type Expr, substitute, variablesOf } from "../expression/expr.js";
import { postOrder } from "../expression/walk.js";
import { Reader } from "./reader.js";
import { type NameToken, type Token, tokensOf } from "./tokens.js";

export interface FormulaOptions {
  /** The only names that the formula may use for variables. Left out: every name that is no function's is a variable. */
  readonly names?: readonly string[];
}

/**
 * Reads an expression from text such as `silu(gate) * up`. Numbers, names, `+ - * /`, brackets, `a > b ? c : d`, whole powers
 * (`x^2`, `x²`), `e^x`, every operation of `expressions` and every activation of the catalogue as a function (`swish(gate, beta)`:
 * its inputs, then its parameters, which take their defaults where they are left out), `pi`, and Greek letters: `σ(x)`,
 * `Φ(x)`, `β`. Parts may be named after it: `p * sigmoid(p), p = min(gate, 7)`. Reads back what `text` and `textWithParts`
 * write, up to 30,000 characters.
 *
 * Throws a SyntaxError that shows the place, what was expected and what came. Nothing in the text is run as code.
 *
 * @example
 * text(expressionFromText("silu(gate) * up")) // "gate * sigmoid(gate) * up"
 */
export function expressionFromText(source: string, options: FormulaOptions = {}): Expr {
  if (typeof source !== "string") throw new TypeError(`formula is ${typeof source}, expected a string`);
  return readFormula(source, tokensOf(source), options);
}

/** Reads tokens from `start` to the end: an expression, and the parts that are named after it. */
export function readFormula(
  source: string,
  tokens: readonly Token[],
  { names }: FormulaOptions,
  start = 0,
): Expr {
  const reader = new Reader(source, tokens, start, names);
  const root = reader.expression();
  const parts = new Map<string, { readonly token: NameToken; readonly expr: Expr }>();
  while (reader.takeSign(",")) {
    const token = reader.next();
    if (token.kind !== "name") throw reader.unexpected(token, "the name of a part, as in p = min(gate, 7)");
    if (parts.has(token.name)) throw reader.problem(token, `${token.name} is defined twice.`);
    if (names?.includes(token.name))
      throw reader.problem(token, `${token.name} is an input or a parameter: give the part another name.`);
    reader.checkFree(token);
    if (!reader.takeSign("=")) throw reader.unexpected(reader.peek(), `= after the name of a part`);
    parts.set(token.name, { token, expr: reader.expression() });
  }
  reader.checkNames(parts);
  if (parts.size === 0) return root;
  const used = (expr: Expr): string[] => [...variablesOf(expr)].filter((name) => parts.has(name));
  const order = postOrder(used(root), (name) => used(parts.get(name)?.expr as Expr));
  const whole: Record<string, Expr> = {};
  for (const name of order) {
    const { token, expr } = parts.get(name) as { token: NameToken; expr: Expr };
    const circular = used(expr).find((other) => !Object.hasOwn(whole, other));
    if (circular !== undefined)
      throw reader.problem(token, `${name} is defined by itself, through ${circular}.`);
    whole[name] = substitute(expr, whole);
  }
  for (const [name, { token }] of parts)
    if (!Object.hasOwn(whole, name)) throw reader.problem(token, `${name} is defined and never used.`);
  return substitute(root, whole);
}
