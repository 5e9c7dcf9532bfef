// Expressions as JSON. Numbers are constants, strings are variables, arrays are operations: ["mul", "x", ["exp", 2]].
// Everything that is read is checked, and never run as code.
import { rejectUnknownKeys, shown } from "../errors.js";
import {
  type Apply,
  apply,
  arity,
  type Expr,
  num,
  type Operation,
  operandsOf,
  schedule,
  variable,
} from "./expr.js";

/**
 * An expression as JSON data. It is nested, as above, or a list of steps, for expressions that are deep, large, or repeat their
 * parts. A step may use the results of earlier ones: `{ steps: [["mul", "x", "x"], ["exp", "#0"]] }` is the exponential of x^2.
 */
export type ExpressionJson = NestedJson | { readonly steps: readonly StepJson[] };
type NestedJson = number | string | readonly (string | number | NestedJson)[];
/** An operation and its operands: numbers, names, or `#` and the number of an earlier step, counted from 0. */
type StepJson = readonly (string | number)[];

/** How large an expression in JSON may be. One that is nested deeper, or has more parts, is written in steps. */
const limits = { depth: 64, nodes: 4096, steps: 1_000_000 } as const;

const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** Checks the name of a variable, a parameter or an activation. Throws a SyntaxError that says what a name is. */
export function checkName(name: unknown, what: string): string {
  if (typeof name !== "string" || !namePattern.test(name))
    throw new SyntaxError(
      `${what} is ${shown(name)}: expected a name of letters, digits and _ that starts with a letter`,
    );
  if (name in Object.prototype)
    throw new SyntaxError(`${what} is "${name}", which every object of JavaScript has: choose another name`);
  return name;
}

/** Writes an expression as JSON data. Throws a RangeError for constants that JSON cannot hold (NaN, Infinity). */
export function expressionToJson(expr: Expr): ExpressionJson {
  const order = schedule([expr]);
  const sizes = new Map<Expr, { readonly depth: number; readonly nodes: number }>();
  for (const node of order) {
    if (node.op === "num" && !Number.isFinite(node.value))
      throw new RangeError(`JSON cannot hold the constant ${node.value}`);
    let [depth, nodes] = [1, 1];
    for (const arg of operandsOf(node)) {
      const size = sizes.get(arg) as { depth: number; nodes: number };
      depth = Math.max(depth, size.depth + 1);
      nodes += size.nodes;
    }
    sizes.set(node, { depth, nodes });
  }
  const { depth, nodes } = sizes.get(expr) as { depth: number; nodes: number };
  return depth > limits.depth || nodes > limits.nodes ? inSteps(order) : nested(order);
}

function nested(order: readonly Expr[]): NestedJson {
  const written = new Map<Expr, NestedJson>();
  for (const node of order) {
    const args = operandsOf(node).map((arg) => written.get(arg) as NestedJson);
    written.set(node, "args" in node ? [node.op, ...args] : plain(node));
  }
  return written.get(order.at(-1) as Expr) as NestedJson;
}

function inSteps(order: readonly Expr[]): ExpressionJson {
  const steps: StepJson[] = [];
  const operands = new Map<Expr, string | number>();
  for (const node of order) {
    if ("args" in node) {
      steps.push([node.op, ...node.args.map((arg) => operands.get(arg) as string | number)]);
      operands.set(node, `#${steps.length - 1}`);
    } else operands.set(node, plain(node));
  }
  return { steps };
}

const plain = (node: Exclude<Expr, Apply>): string | number =>
  node.op === "variable" ? node.name : node.value;

/**
 * Reads an expression from JSON data. Throws a SyntaxError whose message gives the place, what was expected and what
 * came, for anything else than numbers, names and known operations with the right number of operands.
 *
 * @example
 * expressionFromJson(["mul", "gate", ["sigmoid", "gate"]])
 */
export function expressionFromJson(json: unknown): Expr {
  if (typeof json === "object" && json !== null && !Array.isArray(json) && Object.hasOwn(json, "steps"))
    return readSteps(json);
  let nodes = 0;
  const read = (part: unknown, place: string, depth: number): Expr => {
    if (depth > limits.depth)
      throw new SyntaxError(
        `${place} is nested deeper than ${limits.depth} levels: write it in steps, as expressionToJson does`,
      );
    if (++nodes > limits.nodes)
      throw new SyntaxError(
        `expression has more than ${limits.nodes} parts: write it in steps, as expressionToJson does`,
      );
    if (!Array.isArray(part)) return readLeaf(part, place, `["operation", ...operands]`);
    const op = checkOperation(part, place);
    return apply(
      op,
      part.slice(1).map((operand, i) => read(operand, `${place}[${i + 1}]`, depth + 1)),
    );
  };
  return read(json, "expression", 1);
}

function readSteps(json: object): Expr {
  rejectUnknownKeys(json, ["steps"], "field", "an expression in steps");
  const { steps } = json as { readonly steps: unknown };
  if (!Array.isArray(steps) || steps.length === 0 || steps.length > limits.steps)
    throw new SyntaxError(
      `expression.steps is ${shown(steps)}: expected from 1 to ${limits.steps} steps, each ["operation", ...operands]`,
    );
  const results: Expr[] = [];
  const leaves = new Map<unknown, Expr>();
  for (const [i, step] of (steps as unknown[]).entries()) {
    const place = `expression.steps[${i}]`;
    if (!Array.isArray(step))
      throw new SyntaxError(`${place} is ${shown(step)}: expected ["operation", ...operands]`);
    const op = checkOperation(step, place);
    const operands = step.slice(1).map((operand: unknown, k): Expr => {
      if (typeof operand === "string" && operand.startsWith("#")) {
        const result = /^#\d{1,7}$/.test(operand) ? results[Number(operand.slice(1))] : undefined;
        if (result !== undefined) return result;
        throw new SyntaxError(
          `${place}[${k + 1}] is ${shown(operand)}: expected an earlier step, from #0 on`,
        );
      }
      const known = Object.is(operand, -0) ? undefined : leaves.get(operand);
      const leaf = known ?? readLeaf(operand, `${place}[${k + 1}]`, "an earlier step");
      if (!Object.is(operand, -0)) leaves.set(operand, leaf);
      return leaf;
    });
    results.push(apply(op, operands));
  }
  return results.at(-1) as Expr;
}

function readLeaf(part: unknown, place: string, otherwise: string): Expr {
  if (typeof part === "string") return variable(checkName(part, place));
  if (typeof part !== "number")
    throw new SyntaxError(`${place} is ${shown(part)}: expected a number, a name, or ${otherwise}`);
  if (!Number.isFinite(part)) throw new SyntaxError(`${place} is ${part}: constants must be finite numbers`);
  return num(part);
}

/** Checks that a part names an operation and has the right number of operands. Returns the operation. */
function checkOperation([name, ...operands]: readonly unknown[], place: string): Operation {
  if (typeof name !== "string" || !Object.hasOwn(arity, name))
    throw new SyntaxError(
      `${place}[0] is ${shown(name)}: expected an operation, one of ${Object.keys(arity).join(", ")}`,
    );
  const op = name as Operation;
  if (operands.length !== arity[op])
    throw new SyntaxError(`${place}: ${op} takes ${arity[op]} operands, got ${operands.length}`);
  return op;
}
