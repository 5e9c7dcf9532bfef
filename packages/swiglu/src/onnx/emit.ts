// Turns expressions into ONNX nodes, by the rules of one mode; shared parts are computed once.
import { float32, float64 } from "../expression/bound.js";
import { type Expr, type Operation, variable, variablesOf } from "../expression/expr.js";
import { lower } from "../expression/lower.js";
import { simplifyAll } from "../expression/simplify.js";
import { FragmentWriter } from "./fragment.js";
import type { OnnxAttribute, OnnxFragment } from "./model.js";
import { type OperatorScope, operatorFor } from "./operators.js";
import type { EmitOptions } from "./options.js";
import { type AnyRule, ruleTables } from "./rules.js";

/**
 * Emits expressions as ONNX nodes. Throws a ReferenceError for a variable without a tensor, a RangeError where
 * `outputs` does not have one name for each expression.
 *
 * @example
 * emitNodes([activations.silu.expression], { inputs: { x: "input" }, outputs: ["output"], prefix: "silu_" })
 */
export function emitNodes(expressions: readonly Expr[], options: EmitOptions): OnnxFragment {
  const { outputs, math = "exact", dtype = "float32" } = options;
  if (outputs.length !== expressions.length)
    throw new RangeError(`outputs has ${outputs.length} names, expected ${expressions.length}`);
  const rules = ruleTables[math];
  const native = new Set(Object.keys(rules) as Operation[]);
  const precision = dtype === "float64" ? float64 : float32;
  const { parts, calls } = placeOperators(simplifyAll(expressions), scopeOf(options));
  const lowered = simplifyAll(parts.map((part) => lower(part, native, precision)));

  const write = new FragmentWriter(options);
  const names = new Map<Expr, string>();
  const nameOf = (expr: Expr): string => {
    const name = names.get(expr) ?? emit(expr);
    names.set(expr, name);
    return name;
  };
  const emit = (expr: Expr): string => {
    if (expr.op === "num") return write.constant(expr.value);
    if (expr.op !== "variable") return (rules[expr.op] as AnyRule)(write, ...expr.args.map(nameOf));
    const call = calls.get(expr.name);
    if (!call) return write.variable(expr.name);
    const operands = call.operands.map((part) => nameOf(lowered[part] as Expr));
    return write.operator(call.opType, operands, call.attributes);
  };
  return write.finish(lowered.slice(lowered.length - expressions.length).map(nameOf));
}

/** An operator that stands for a whole formula; its operands are parts, by position. */
interface PlacedCall {
  readonly opType: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
  readonly operands: readonly number[];
}

/**
 * Puts a variable in the place of everything that one operator computes. The parts are the operands of those operators,
 * then the expressions themselves.
 */
function placeOperators(expressions: readonly Expr[], scope: OperatorScope) {
  const parts: Expr[] = [];
  const calls = new Map<string, PlacedCall>();
  const placed = new Map<Expr, Expr>();
  const place = (expr: Expr): Expr => {
    const result = placed.get(expr) ?? placeNew(expr);
    placed.set(expr, result);
    return result;
  };
  const placeNew = (expr: Expr): Expr => {
    const call = operatorFor(expr, scope);
    if (!call) return "args" in expr ? { op: expr.op, args: expr.args.map(place) } : expr;
    const operands = call.inputs.map((input) => parts.push(place(input)) - 1);
    const name = `operator ${calls.size}`; // no variable's name has a space
    calls.set(name, { ...call, operands });
    return variable(name);
  };
  const roots = expressions.map(place);
  return { parts: [...parts, ...roots], calls };
}

function scopeOf({ math, opset = 21, fullShape = [], attributes = [] }: EmitOptions): OperatorScope {
  return {
    opset: math === "fast" ? opset : 0, // exact mode has no use for operators of unknown accuracy
    attribute: (value) => {
      if (value.op === "num") return { float: value.value };
      return value.op === "variable" && attributes.includes(value.name) ? { floatOf: value.name } : undefined;
    },
    fullShape: (operand) => [...variablesOf(operand)].some((name) => fullShape.includes(name)),
  };
}
