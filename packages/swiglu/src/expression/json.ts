// Expressions as JSON: numbers are constants, strings are variables, arrays are operations: ["mul", "x", ["exp", 2]].
// What comes from outside is checked in full and never run as code.
import { apply, arity, type Expr, num, type Operation, variable } from "./expr.js";

/** An expression as JSON data. */
export type ExpressionJson = number | string | readonly (string | number | ExpressionJson)[];

/** How large an expression from outside may be: deep ones would exhaust the stack, large ones the time. */
const limits = { depth: 64, nodes: 4096 } as const;

const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** Checks a name for a variable, a parameter or an activation; throws a SyntaxError that says what a name is. */
export function checkName(name: unknown, what: string): string {
  if (typeof name !== "string" || !namePattern.test(name))
    throw new SyntaxError(
      `${what} is ${show(name)}: expected a name of letters, digits and _ that starts with a letter`,
    );
  return name;
}

/** Writes an expression as JSON data. Throws a RangeError for constants that JSON cannot hold (NaN, Infinity). */
export function expressionToJson(expr: Expr): ExpressionJson {
  if (expr.op === "variable") return expr.name;
  if (expr.op !== "num") return [expr.op, ...expr.args.map(expressionToJson)];
  if (!Number.isFinite(expr.value)) throw new RangeError(`JSON cannot hold the constant ${expr.value}`);
  return expr.value;
}

/**
 * Reads an expression from JSON data. Throws a SyntaxError whose message gives the place, what was expected and what
 * came, for anything else than numbers, names and known operations with the right number of operands.
 *
 * @example
 * expressionFromJson(["mul", "gate", ["sigmoid", "gate"]])
 */
export function expressionFromJson(json: unknown): Expr {
  let nodes = 0;
  const read = (part: unknown, place: string, depth: number): Expr => {
    if (depth > limits.depth)
      throw new SyntaxError(`${place} is nested deeper than ${limits.depth} levels: split the expression`);
    if (++nodes > limits.nodes)
      throw new SyntaxError(`expression has more than ${limits.nodes} parts: write a smaller one`);
    if (typeof part === "string") return variable(checkName(part, place));
    if (typeof part === "number") {
      if (!Number.isFinite(part))
        throw new SyntaxError(`${place} is ${part}: constants must be finite numbers`);
      return num(part);
    }
    if (!Array.isArray(part))
      throw new SyntaxError(
        `${place} is ${show(part)}: expected a number, a name, or ["operation", ...operands]`,
      );
    const [name, ...operands] = part as unknown[];
    const op = checkOperation(name, place);
    if (operands.length !== arity[op])
      throw new SyntaxError(`${place}: ${op} takes ${arity[op]} operands, got ${operands.length}`);
    return apply(
      op,
      operands.map((operand, i) => read(operand, `${place}[${i + 1}]`, depth + 1)),
    );
  };
  return read(json, "expression", 1);
}

function checkOperation(name: unknown, place: string): Operation {
  if (typeof name === "string" && Object.hasOwn(arity, name)) return name as Operation;
  throw new SyntaxError(
    `${place}[0] is ${show(name)}: expected an operation, one of ${Object.keys(arity).join(", ")}`,
  );
}

/** A short rendering of any value for an error message. */
function show(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 40 ? `${shown.slice(0, 40)}...` : shown;
}
