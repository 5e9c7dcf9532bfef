// Turns expressions into ONNX nodes by the rules of one mode. A part that several expressions share is computed once.
import { float32, float64 } from "../../expression/bound.js";
import { type Expr, type Operation, operandsOf, schedule, variable } from "../../expression/expr.js";
import { lowerAll } from "../../expression/lower.js";
import { simplifyAll } from "../../expression/simplify.js";
import { postOrder } from "../../expression/walk.js";
import type { OnnxAttribute, OnnxFragment } from "../model/model.js";
import { ExpressionWriter } from "./expression-writer.js";
import { type OperatorCall, type OperatorScope, operatorFor } from "./operators.js";
import { type EmitOptions, mathOf } from "./options.js";
import { type AnyRule, ruleTables } from "./rules.js";

/**
 * Emits expressions as ONNX nodes. Throws a ReferenceError for a variable without a tensor, a RangeError where
 * `outputs` does not have one name for each expression.
 *
 * @example
 * emitNodes([activations.silu.expression], { inputs: { x: "input" }, outputs: ["output"], prefix: "silu_" })
 */
export function emitNodes(expressions: readonly Expr[], given: EmitOptions): OnnxFragment {
  const { outputs, dtype = "float32" } = given;
  const math = mathOf(dtype, given.math);
  const options = { ...given, math };
  if (outputs.length !== expressions.length)
    throw new RangeError(`outputs has ${outputs.length} names, expected ${expressions.length}`);
  const rules = ruleTables[math];
  const native = new Set(Object.keys(rules) as Operation[]);
  const precision = dtype === "float64" ? float64 : float32;
  const whole = simplifyAll(expressions);
  const { parts, calls } = replaceFormulas(whole, scopeOf(whole, options));
  const lowered = lowerAll(parts, native, precision);

  const write = new ExpressionWriter(options);
  const names = new Map<Expr, string>();
  const nameOf = (expr: Expr): string => names.get(expr) as string;
  const callOf = (expr: Expr) => (expr.op === "variable" ? calls.get(expr.name) : undefined);
  const needed = (expr: Expr): readonly Expr[] =>
    callOf(expr)?.operands.map((part) => lowered[part] as Expr) ?? operandsOf(expr);
  const emit = (expr: Expr): string => {
    if (expr.op === "num") return write.constant(expr.value);
    const operands = needed(expr).map(nameOf);
    if (expr.op !== "variable") return (rules[expr.op] as AnyRule)(write, ...operands);
    const call = callOf(expr);
    return call ? write.operator(call.opType, operands, call.attributes) : write.variable(expr.name);
  };
  const results = lowered.slice(lowered.length - expressions.length);
  for (const expr of postOrder(results, needed)) names.set(expr, emit(expr));
  return write.finish(results.map(nameOf));
}

/** An operator that computes a whole formula. Its operands are parts of `replaceFormulas`, by position. */
interface FormulaCall {
  readonly opType: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
  readonly operands: readonly number[];
}

/**
 * Replaces every formula that one operator computes by a variable. The parts are the operands of those operators, followed by
 * the expressions themselves.
 *
 *     gate * sigmoid(gate) * (up + 1)  ->  "operator 0"    with "operator 0" = SwiGLU(gate, up + 1)
 */
function replaceFormulas(expressions: readonly Expr[], scope: OperatorScope) {
  const parts: Expr[] = [];
  const calls = new Map<string, FormulaCall>();
  const replaced = new Map<Expr, Expr>();
  const found = new Map<Expr, OperatorCall>();
  const needed = (expr: Expr): readonly Expr[] => {
    const call = operatorFor(expr, scope);
    if (call) found.set(expr, call);
    return call?.inputs ?? operandsOf(expr);
  };
  const replacedOf = (expr: Expr): Expr => replaced.get(expr) as Expr;
  const replace = (expr: Expr): Expr => {
    const call = found.get(expr);
    if (!call) return "args" in expr ? { op: expr.op, args: expr.args.map(replacedOf) } : expr;
    const operands = call.inputs.map((input) => parts.push(replacedOf(input)) - 1);
    const name = `operator ${calls.size}`; // no variable's name has a space
    calls.set(name, { ...call, operands });
    return variable(name);
  };
  for (const expr of postOrder(expressions, needed)) replaced.set(expr, replace(expr));
  return { parts: [...parts, ...expressions.map(replacedOf)], calls };
}

function scopeOf(
  expressions: readonly Expr[],
  { math, opset = 21, fullShape = [], attributes = [] }: EmitOptions,
): OperatorScope {
  const full = new Set<Expr>();
  for (const node of schedule(expressions))
    if (
      node.op === "variable" ? fullShape.includes(node.name) : operandsOf(node).some((arg) => full.has(arg))
    )
      full.add(node);
  return {
    opset: math === "fast" ? opset : 0, // exact mode has no use for operators of unknown accuracy
    attribute: (value) => {
      if (value.op === "num") return { float: value.value };
      return value.op === "variable" && attributes.includes(value.name) ? { floatOf: value.name } : undefined;
    },
    fullShape: (operand) => full.has(operand),
  };
}
