// Writes expressions as functions of a target language: statements for what is shared or long, helpers for what it lacks.

import { Binding, type Written as Text } from "../expression/brackets.js";
import {
  type Apply,
  apply,
  arity,
  countUses,
  type Expr,
  type Num,
  num,
  type Operation,
  operandsOf,
  rewrite,
  schedule,
  selectGreater,
  substitute,
  variablesOf,
} from "../expression/expr.js";
import { lower } from "../expression/lower.js";
import { simplify } from "../expression/simplify.js";
import { applyOperation } from "../expression/tape.js";
import { Names } from "./names.js";
import type { Argument, Target, Written } from "./rules.js";

/** What is longer has a name of its own, so that no line and no nesting of brackets is too much for a compiler. */
const longest = 160;
/** What is shorter is repeated rather than named. */
const short = 14;
/** What code may be made of: more is a program, not a formula to read. */
const mostOperations = 20_000;

/** An expression with the names that it is to have as a function. */
export interface FunctionOf {
  readonly name: string;
  readonly expression: Expr;
  readonly inputs: readonly string[];
  readonly parameters: Readonly<Record<string, number>>;
  readonly comment: readonly string[];
}

const operations = Object.keys(arity) as readonly Operation[];

/** The whole code: the function, and the helpers that it needs. */
export function writeCode(target: Target, main: FunctionOf): string {
  const names = new Names(target.name);
  const ownName = names.take(main.name);
  const helpers = new Map<Operation, string>();
  const written: string[] = [];
  /** The name of an operation's helper, which is written before what calls it. */
  const helper = (op: Operation): string => {
    const known = helpers.get(op);
    if (known !== undefined) return known;
    const name = names.take(op);
    helpers.set(op, name);
    const inputs = ["a", "b", "c", "d"].slice(0, arity[op]);
    const others = new Set(operations.filter((other) => other !== op));
    const expression = lower(apply(op, inputs), others, target.precision);
    const part = { name: op, expression, inputs, parameters: {}, comment: [] };
    written.push(writeFunction(target, part, name, names, helper, true));
    return name;
  };
  const whole = writeFunction(target, main, ownName, names, helper, false);
  const parts = target.helpersFirst ? [...written, whole] : [whole, ...written];
  return `${[...(target.head === undefined ? [] : [target.head]), ...parts].join("\n\n")}\n`;
}

function writeFunction(
  target: Target,
  { expression, inputs, parameters, comment }: FunctionOf,
  name: string,
  outer: Names,
  helper: (op: Operation) => string,
  isHelper: boolean,
): string {
  const names = outer.within();
  const plain = withConstants(simplify(expression));
  const whole = target.differentiated ? keepFinite(plain, inputs, isHelper) : plain;
  const order = schedule([whole]);
  if (order.length > mostOperations)
    throw new RangeError(
      `${name} has ${order.length} operations: at most ${mostOperations} are written as code`,
    );
  const args = [...inputs, ...Object.keys(parameters)].map(
    (variable): Argument & { readonly variable: string } => ({
      variable,
      name: names.take(variable),
      ...(Object.hasOwn(parameters, variable) && { value: target.number(parameters[variable] as number) }),
    }),
  );
  const nameOf = new Map(args.map((arg) => [arg.variable, arg.name]));
  const statements: string[] = [];
  const tensors = target.toTensor !== undefined && appliesToParameters(order, inputs);
  if (target.toTensor && tensors)
    for (const { name: parameter, value } of args)
      if (value !== undefined)
        statements.push(target.toTensor(parameter, nameOf.get(inputs[0] as string) as string));
  const uses = countUses(order, [whole]);
  const written = new Map<Expr, Written>();
  for (const node of order) {
    const code = writeNode(target, node, written, nameOf, tensors ? [...nameOf.keys()] : inputs, helper);
    const shared = (uses.get(node) as number) > 1 && code.text.length > short;
    if ("args" in node && node !== whole && (shared || code.text.length > longest)) {
      const part = names.numbered();
      statements.push(target.statement(part, code.text));
      written.set(node, { ...code, text: part, binding: Binding.Atom });
    } else written.set(node, code);
  }
  const result = (written.get(whole) as Written).text;
  return target.write({ name, args, statements, result, comment, helper: isHelper });
}

/** Computes what is made of numbers only, also where it is infinite: compilers refuse that, and tensor functions take tensors. */
const withConstants = (expr: Expr): Expr =>
  rewrite(expr, (node) =>
    "args" in node && node.args.every(({ op }) => op === "num")
      ? num(
          applyOperation(
            node.op,
            node.args.map((arg) => (arg as Num).value),
          ),
        )
      : node,
  );

function writeNode(
  target: Target,
  node: Expr,
  written: ReadonlyMap<Expr, Written>,
  nameOf: ReadonlyMap<string, string>,
  inputs: readonly string[],
  helper: (op: Operation) => string,
): Written {
  if (node.op === "num")
    return {
      text: target.number(node.value),
      binding: node.value < 0 || Object.is(node.value, -0) ? Binding.Product : Binding.Atom,
      of: "numbers",
    };
  if (node.op === "variable")
    return {
      text: nameOf.get(node.name) as string,
      binding: Binding.Atom,
      of: inputs.includes(node.name) ? "inputs" : "parameters",
    };
  const operands = node.args.map((arg) => written.get(arg) as Written);
  const rule = target.rules[node.op] as "helper" | ((...operands: readonly Written[]) => Text);
  const code =
    rule === "helper"
      ? { text: `${helper(node.op)}(${operands.map(({ text }) => text).join(", ")})`, binding: Binding.Atom }
      : rule(...operands);
  const of = (["inputs", "parameters"] as const).find((kind) =>
    operands.some((operand) => operand.of === kind),
  );
  return { ...code, of: of ?? "numbers" };
}

const arithmetic: ReadonlySet<string> = new Set<Operation>(["neg", "add", "sub", "mul", "div"]);

/** Whether a function is applied to parameters alone. */
function appliesToParameters(order: readonly Expr[], inputs: readonly string[]): boolean {
  const depends = new Map<Expr, boolean>();
  for (const node of order) {
    const own =
      node.op === "variable" ? inputs.includes(node.name) : operandsOf(node).some((arg) => depends.get(arg));
    depends.set(node, own);
    if (!("args" in node) || arithmetic.has(node.op)) continue;
    if (!own) return true;
    if (node.op === "selectGreater" && !node.args.slice(0, 2).some((arg) => depends.get(arg))) return true;
  }
  return false;
}

/** Operations that may be infinite where they are not chosen, or have an infinite slope there. */
const steep: ReadonlySet<string> = new Set<Operation>(["exp", "expm1", "expResidual", "log", "sqrt", "div"]);

/**
 * In branches that are not chosen, inputs become 0.5: a framework multiplies the slope there by 0, and 0 times infinity would
 * be NaN. In helpers, whose series are of high powers, `always`; else where a branch has a steep operation.
 */
function keepFinite(expr: Expr, inputs: readonly string[], always: boolean): Expr {
  let walked = 0;
  return rewrite(expr, (node) => {
    if (node.op !== "selectGreater") return node;
    const [a, b, then, otherwise] = (node as Apply).args as readonly [Expr, Expr, Expr, Expr];
    const masked = (branch: Expr, mask: (name: string) => Expr): Expr => {
      const parts = schedule([branch]);
      walked += parts.length;
      if (walked > mostOperations)
        throw new RangeError(
          "the formula has too many choices within choices to be written for a framework that differentiates it",
        );
      if (!always && !parts.some(({ op }) => steep.has(op))) return branch;
      const masks = [...variablesOf(branch)].filter((name) => inputs.includes(name));
      return substitute(branch, Object.fromEntries(masks.map((name) => [name, mask(name)])));
    };
    return selectGreater(
      a,
      b,
      masked(then, (name) => selectGreater(a, b, name, 0.5)),
      masked(otherwise, (name) => selectGreater(a, b, 0.5, name)),
    );
  });
}
