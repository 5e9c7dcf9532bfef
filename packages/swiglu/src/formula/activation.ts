// An activation from one line of text: `mine(beta = 1) = gate * sigmoid(beta * gate) * up`.
import { type Activation, defineActivation } from "../catalogue/activation.js";
import { listing } from "../errors.js";
import { variablesOf } from "../expression/expr.js";
import { readFormula } from "./parse.js";
import { mistake } from "./place.js";
import { type Token, tokensOf } from "./tokens.js";

export interface ActivationTextOptions {
  /** The activation's name where the text gives none; default "formula". */
  readonly name?: string;
  /** Parameters with their defaults, beside those that the text gives. */
  readonly parameters?: Readonly<Record<string, number>>;
  /** Default: the text itself. */
  readonly source?: string;
}

/**
 * Defines an activation by its formula as text, which `expressionFromText` explains. The name and the parameters with their
 * defaults may stand before it: `mine(beta = 1) = ...`. A formula of `x` is unary, one of `gate` and `up` is gated.
 *
 * Throws a SyntaxError that shows the place in the text; for a bad name or an unused parameter what `defineActivation` does.
 *
 * @example
 * const mine = activationFromText("mine(beta = 2) = gate * σ(β * gate) * up");
 * evaluate(mine, { gate: 0.5, up: 3 }) // 1.0965...
 */
export function activationFromText(text: string, options: ActivationTextOptions = {}): Activation {
  if (typeof text !== "string") throw new TypeError(`formula is ${typeof text}, expected a string`);
  const tokens = tokensOf(text);
  const head = readHead(text, tokens);
  const parameters = { ...options.parameters, ...head.parameters };
  const names = ["x", "gate", "up", ...Object.keys(parameters)];
  const expression = readFormula(text, tokens, { names }, head.length);
  const used = variablesOf(expression);
  const inputs = ["x", "gate", "up"].filter((name) => used.has(name));
  if (!["x", "gate,up"].includes(inputs.join()))
    throw new SyntaxError(
      `the formula uses ${listing(inputs) || "no input"}: expected x, for a unary activation, or both gate and up, for a gated one`,
    );
  return defineActivation({
    name: head.name ?? options.name ?? "formula",
    kind: inputs.length === 1 ? "unary" : "gated",
    expression,
    parameters,
    source: options.source ?? `the formula ${text.trim().replace(/\s+/g, " ").slice(0, 1000)}`,
  });
}

interface Head {
  readonly name?: string;
  readonly parameters: Readonly<Record<string, number>>;
  /** How many tokens it takes. */
  readonly length: number;
}

/** `name =` or `name(parameter = default, ...) =` at the beginning. */
function readHead(text: string, tokens: readonly Token[]): Head {
  let at = 0;
  const token = (): Token => tokens[Math.min(at, tokens.length - 1)] as Token;
  const is = (written: string, ahead = 0): boolean => {
    const one = tokens[at + ahead];
    return one?.kind === "sign" && one.sign === written;
  };
  const [first] = tokens;
  const isHead = first?.kind === "name" && (is("=", 1) || (is("(", 1) && is("=", 3)));
  if (!isHead) return { parameters: {}, length: 0 };
  const fail = (expected: string): SyntaxError => {
    const { at: place, written, kind } = token();
    return mistake(
      text,
      place,
      `expected ${expected}, got ${kind === "end" ? "the end" : JSON.stringify(written)}.`,
    );
  };
  const expect = (sign: string, where: string): void => {
    if (!is(sign)) throw fail(`"${sign}" ${where}`);
    at++;
  };
  at = 1;
  const parameters = new Map<string, number>();
  if (is("(")) {
    do {
      at++;
      const parameter = token();
      if (parameter.kind !== "name") throw fail("a parameter's name");
      if (parameters.has(parameter.name))
        throw mistake(text, parameter.at, `${parameter.name} is given twice.`);
      at++;
      expect("=", `and a default after the parameter ${parameter.name}`);
      const minus = is("-");
      if (minus) at++;
      const value = token();
      if (value.kind !== "number") throw fail(`a number as the default of ${parameter.name}`);
      at++;
      parameters.set(parameter.name, minus ? -value.value : value.value);
    } while (is(","));
    expect(")", "after the parameters");
  }
  expect("=", "before the formula");
  return { name: first.written, parameters: Object.fromEntries(parameters), length: at };
}
