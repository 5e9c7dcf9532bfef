// Turns expressions into ONNX nodes, by the rules of one mode; shared parts are computed once.
import { float32, float64 } from "../expression/bound.js";
import { type Expr, type Operation, variable } from "../expression/expr.js";
import { lower } from "../expression/lower.js";
import { simplifyAll } from "../expression/simplify.js";
import { FragmentWriter } from "./fragment.js";
import type { OnnxAttribute, OnnxFragment } from "./model.js";
import { type OperatorCall, type OperatorScope, operatorFor } from "./operators.js";
import { type EmitOptions, mathOf } from "./options.js";
import { type AnyRule, ruleTables } from "./rules.js";
import { visitInOrder } from "./walk.js";

/**
 * Emits expressions as ONNX nodes. Throws a ReferenceError for a variable without a tensor, a RangeError where
 * `outputs` does not have one name for each expression.
 *
 * @example
 * emitNodes([activations.silu.expression], { inputs: { x: "input" }, outputs: ["output"], prefix: "silu_" })
 */
export function emitNodes(expressions: readonly Expr[], given: EmitOptions): OnnxFragment {
  const { outputs, dtype = "float32" } = given;
  const math = mathOf(dtype, given.math ?? "exact");
  const options = { ...given, math };
  if (outputs.length !== expressions.length)
    throw new RangeError(`outputs has ${outputs.length} names, expected ${expressions.length}`);
  const rules = ruleTables[math];
  const native = new Set(Object.keys(rules) as Operation[]);
  const precision = dtype === "float64" ? float64 : float32;
  const { parts, calls } = placeOperators(simplifyAll(expressions), scopeOf(options));
  const lowered = simplifyAll(parts.map((part) => lower(part, native, precision)));

  const write = new FragmentWriter(options);
  const names = new Map<Expr, string>();
  const nameOf = (expr: Expr): string => names.get(expr) as string;
  const operandsOf = (expr: Expr): readonly Expr[] => {
    if (expr.op === "variable")
      return (calls.get(expr.name)?.operands ?? []).map((part) => lowered[part] as Expr);
    return expr.op === "num" ? [] : expr.args;
  };
  const emit = (expr: Expr): string => {
    if (expr.op === "num") return write.constant(expr.value);
    const operands = operandsOf(expr).map(nameOf);
    if (expr.op !== "variable") return (rules[expr.op] as AnyRule)(write, ...operands);
    const call = calls.get(expr.name);
    return call ? write.operator(call.opType, operands, call.attributes) : write.variable(expr.name);
  };
  const results = lowered.slice(lowered.length - expressions.length);
  visitInOrder(results, operandsOf, (expr) => names.set(expr, emit(expr)));
  return write.finish(results.map(nameOf));
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
  const place = (expr: Expr): Expr => placed.get(expr) as Expr;
  const found = new Map<Expr, OperatorCall | undefined>();
  const callOf = (expr: Expr): OperatorCall | undefined => {
    if (!found.has(expr)) found.set(expr, operatorFor(expr, scope));
    return found.get(expr);
  };
  const behind = (expr: Expr): readonly Expr[] => callOf(expr)?.inputs ?? ("args" in expr ? expr.args : []);
  visitInOrder(expressions, behind, (expr) => {
    const call = callOf(expr);
    if (!call) {
      placed.set(expr, "args" in expr ? { op: expr.op, args: expr.args.map(place) } : expr);
      return;
    }
    const operands = call.inputs.map((input) => parts.push(place(input)) - 1);
    const name = `operator ${calls.size}`; // no variable's name has a space
    calls.set(name, { ...call, operands });
    placed.set(expr, variable(name));
  });
  return { parts: [...parts, ...expressions.map(place)], calls };
}

function scopeOf({ math, opset = 21, fullShape = [], attributes = [] }: EmitOptions): OperatorScope {
  const full = new Map<Expr, boolean>();
  return {
    opset: math === "fast" ? opset : 0, // exact mode has no use for operators of unknown accuracy
    attribute: (value) => {
      if (value.op === "num") return { float: value.value };
      return value.op === "variable" && attributes.includes(value.name) ? { floatOf: value.name } : undefined;
    },
    fullShape: (operand) => {
      const args = (expr: Expr): readonly Expr[] => (full.has(expr) || !("args" in expr) ? [] : expr.args);
      visitInOrder([operand], args, (expr) => {
        if (full.has(expr)) return;
        if (expr.op === "variable") full.set(expr, fullShape.includes(expr.name));
        else full.set(expr, "args" in expr && expr.args.some((arg) => full.get(arg)));
      });
      return full.get(operand) as boolean;
    },
  };
}
