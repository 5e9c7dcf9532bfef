// Turns expressions into ONNX nodes (opset 21): one rule for each operation, shared parts computed once.
// The exact rules use only operators that ONNX Runtime computes accurately; the fast ones add its approximations.
import { float32, type Precision } from "../expression/bound.js";
import { type Expr, type Operands, type Operation, schedule } from "../expression/expr.js";
import { type BasicOperation, type LoweredOperation, lower } from "../expression/lower.js";
import { simplifyAll } from "../expression/simplify.js";
import type { OnnxConstant, OnnxFragment, OnnxNode } from "./model.js";

/** How an expression is to appear in a graph. */
export interface EmitOptions {
  /** From each variable of the expressions to the name of the ONNX tensor that holds it. Tensors broadcast. */
  readonly inputs: Readonly<Record<string, string>>;
  /** One ONNX tensor name for each expression, in order. */
  readonly outputs: readonly string[];
  /** Begins the name of every inner tensor and constant; must be unique in the graph. */
  readonly prefix: string;
  /**
   * `exact` (default): within the error bound of `errorBound`, through Exp.
   * `fast`: the built-in Sigmoid, Tanh, Erf, Softplus and Relu, fewer nodes; ONNX Runtime's CPU Sigmoid is off by 1e-5
   * of its value at -5 and is 0 below -18, its Erf loses gelu's tail below -5, and a NaN may pass a comparison as 0.
   */
  readonly math?: "exact" | "fast";
  /** The precision that series are cut for: `float32` (default) or `float64`. */
  readonly precision?: Precision;
}

/** Writes nodes; a rule gets it with the names of its operands and returns the name of its result. */
interface Writer {
  node(opType: string, ...inputs: readonly string[]): string;
  constant(value: number): string;
}
type Rule<O extends Operation> = (write: Writer, ...operands: Operands<O, string>) => string;
type AnyRule = (write: Writer, ...operands: readonly string[]) => string;

const operator =
  (opType: string) =>
  (write: Writer, ...operands: readonly string[]): string =>
    write.node(opType, ...operands);

const exactRules: { readonly [O in BasicOperation]: Rule<O> } = {
  neg: operator("Neg"),
  abs: operator("Abs"),
  exp: operator("Exp"),
  log: operator("Log"),
  sqrt: operator("Sqrt"),
  atan: operator("Atan"),
  add: operator("Add"),
  sub: operator("Sub"),
  mul: operator("Mul"),
  div: operator("Div"),
  min: operator("Min"),
  max: operator("Max"),
  selectGreater: (write, a, b, then, otherwise) => {
    const otherwiseOrNaN = write.node(
      "Where",
      write.node("LessOrEqual", a, b),
      otherwise,
      write.node("Add", a, b),
    );
    return write.node("Where", write.node("Greater", a, b), then, otherwiseOrNaN);
  },
};

const fastRules: Partial<{ readonly [O in Operation]: Rule<O> }> & {
  readonly [O in LoweredOperation]?: Rule<O>;
} = {
  sigmoid: operator("Sigmoid"),
  sigmoidSlope: (write, x) => {
    const s = write.node("Sigmoid", x);
    return write.node("Mul", s, write.node("Sub", write.constant(1), s));
  },
  tanh: operator("Tanh"),
  softplus: operator("Softplus"),
  relu: operator("Relu"),
  normalCdf: (write, x) => {
    const erf = write.node("Erf", write.node("Mul", x, write.constant(Math.SQRT1_2)));
    return write.node("Mul", write.node("Add", erf, write.constant(1)), write.constant(0.5));
  },
  selectGreater: (write, a, b, then, otherwise) =>
    write.node("Where", write.node("Greater", a, b), then, otherwise),
};

const ruleTables = {
  exact: exactRules as Partial<Record<Operation, AnyRule>>,
  fast: { ...exactRules, ...fastRules } as Partial<Record<Operation, AnyRule>>,
};

/**
 * Emits expressions as ONNX nodes. Throws a ReferenceError for a variable without a tensor, a RangeError where
 * `outputs` does not have one name for each expression.
 *
 * @example
 * emitNodes([activations.silu.expression], { inputs: { x: "input" }, outputs: ["output"], prefix: "silu_" })
 */
export function emitNodes(expressions: readonly Expr[], options: EmitOptions): OnnxFragment {
  const { inputs, outputs, prefix, math = "exact", precision = float32 } = options;
  if (outputs.length !== expressions.length)
    throw new RangeError(`outputs has ${outputs.length} names, expected ${expressions.length}`);
  const rules = ruleTables[math];
  const native = new Set(Object.keys(rules) as Operation[]);
  const lowered = simplifyAll(expressions.map((expr) => lower(expr, native, precision)));

  const nodes: OnnxNode[] = [];
  const constants = new Map<number, OnnxConstant>();
  const write: Writer = {
    node(opType, ...operands) {
      const output = `${prefix}${nodes.length}`;
      nodes.push({ opType, inputs: operands, outputs: [output] });
      return output;
    },
    constant(value) {
      const known = constants.get(value) ?? { name: `${prefix}c${constants.size}`, value };
      constants.set(value, known);
      return known.name;
    },
  };

  const names = new Map<Expr, string>();
  for (const expr of schedule(lowered)) {
    if (expr.op === "num") names.set(expr, write.constant(expr.value));
    else if (expr.op === "variable") names.set(expr, tensorOf(expr.name, inputs));
    else {
      const operands = expr.args.map((arg) => names.get(arg) as string);
      names.set(expr, (rules[expr.op] as AnyRule)(write, ...operands));
    }
  }
  return {
    nodes: nameOutputs(
      nodes,
      lowered.map((expr) => names.get(expr) as string),
      outputs,
    ),
    constants: [...constants.values()],
  };
}

/** Gives results their output names: the node that computes one is renamed; inputs, constants and repeats are copied. */
function nameOutputs(
  nodes: readonly OnnxNode[],
  results: readonly string[],
  outputs: readonly string[],
): OnnxNode[] {
  const computed = new Set(nodes.flatMap((node) => node.outputs));
  const renamed = new Map<string, string>();
  const copies: OnnxNode[] = [];
  results.forEach((result, i) => {
    const output = outputs[i] as string;
    if (computed.has(result) && !renamed.has(result)) renamed.set(result, output);
    else copies.push({ opType: "Identity", inputs: [result], outputs: [output] });
  });
  const rename = (name: string): string => renamed.get(name) ?? name;
  return [...nodes, ...copies].map(({ inputs, outputs: own, ...node }) => ({
    ...node,
    inputs: inputs.map(rename),
    outputs: own.map(rename),
  }));
}

function tensorOf(name: string, inputs: Readonly<Record<string, string>>): string {
  if (Object.hasOwn(inputs, name)) return inputs[name] as string;
  throw new ReferenceError(`inputs has no tensor for ${name}: expected one for each variable`);
}
