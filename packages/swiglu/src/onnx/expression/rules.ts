// One rule for each operation of expressions: the ONNX nodes that compute the operation, exactly or fast.
import type { Operands, Operation } from "../../expression/expr.js";
import type { BasicOperation, LoweredOperation } from "../../expression/lower.js";
import type { OnnxMath } from "./options.js";

/** What a rule writes nodes with. A rule also gets the names of its operands, and returns the name of its result. */
export interface Writer {
  node(opType: string, ...inputs: readonly string[]): string;
  constant(value: number): string;
}
type Rule<O extends Operation> = (write: Writer, ...operands: Operands<O, string>) => string;
export type AnyRule = (write: Writer, ...operands: readonly string[]) => string;

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
  expm1: (write, x) => write.node("Sub", write.node("Exp", x), write.constant(1)),
  expResidual: (write, x) => write.node("Sub", write.node("Sub", write.node("Exp", x), write.constant(1)), x),
  normalCdf: (write, x) => {
    const erf = write.node("Erf", write.node("Mul", x, write.constant(Math.SQRT1_2)));
    return write.node("Mul", write.node("Add", erf, write.constant(1)), write.constant(0.5));
  },
  selectGreater: (write, a, b, then, otherwise) =>
    write.node("Where", write.node("Greater", a, b), then, otherwise),
};

/** The rules of each mode. An operation without a rule in a mode is lowered first. */
export const ruleTables: Readonly<Record<OnnxMath, Partial<Record<Operation, AnyRule>>>> = {
  exact: exactRules as Partial<Record<Operation, AnyRule>>,
  fast: { ...exactRules, ...fastRules } as Partial<Record<Operation, AnyRule>>,
};
