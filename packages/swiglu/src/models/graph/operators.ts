// ONNX's elementwise operators as numbers: what formulas in graphs are evaluated by.
import { normalCdf, sigmoid, softplus } from "../../expression/special.js";
import type { OnnxNode } from "../readers/onnx.js";

type Rule = (x: readonly number[], node: OnnxNode) => number;

const erf = (x: number): number => 2 * normalCdf(x * Math.SQRT2) - 1;
const gelu = (x: number): number => x * normalCdf(x);
const geluTanh = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const swish = (x: number, slope: number): number => x * sigmoid(slope * x);

const number = (node: OnnxNode, name: string, otherwise: number): number => {
  const value = node.attributes.get(name);
  return typeof value === "number" ? value : otherwise;
};
const first: Rule = ([x = Number.NaN]) => x;
const both =
  (rule: (a: number, b: number) => number): Rule =>
  ([a = Number.NaN, b = Number.NaN]) =>
    rule(a, b);
const one =
  (rule: (x: number) => number): Rule =>
  ([x = Number.NaN]) =>
    rule(x);

/** By operator; a dot separates a domain other than ONNX's own. */
const rules: Readonly<Record<string, Rule>> = {
  Identity: first,
  Cast: first,
  Add: both((a, b) => a + b),
  Sub: both((a, b) => a - b),
  Mul: both((a, b) => a * b),
  Div: both((a, b) => a / b),
  Pow: both((a, b) => a ** b),
  Min: (x) => Math.min(...x),
  Max: (x) => Math.max(...x),
  // Truth is 1, the rest 0.
  Greater: both((a, b) => Number(a > b)),
  GreaterOrEqual: both((a, b) => Number(a >= b)),
  Less: both((a, b) => Number(a < b)),
  LessOrEqual: both((a, b) => Number(a <= b)),
  Where: ([condition, a = Number.NaN, b = Number.NaN]) => (condition ? a : b),
  Neg: one((x) => -x),
  Abs: one(Math.abs),
  Exp: one(Math.exp),
  Sqrt: one(Math.sqrt),
  Reciprocal: one((x) => 1 / x),
  Erf: one(erf),
  Tanh: one(Math.tanh),
  Atan: one(Math.atan),
  Sigmoid: one(sigmoid),
  Softplus: one(softplus),
  Relu: one((x) => Math.max(x, 0)),
  Mish: one((x) => x * Math.tanh(softplus(x))),
  HardSwish: one((x) => x * Math.min(1, Math.max(0, x / 6 + 0.5))),
  HardSigmoid: ([x = Number.NaN], node) =>
    Math.min(1, Math.max(0, number(node, "alpha", 0.2) * x + number(node, "beta", 0.5))),
  Elu: ([x = Number.NaN], node) => (x > 0 ? x : number(node, "alpha", 1) * Math.expm1(x)),
  Selu: ([x = Number.NaN], node) =>
    number(node, "gamma", 1.0507009873554805) *
    (x > 0 ? x : number(node, "alpha", 1.6732632423543772) * Math.expm1(x)),
  LeakyRelu: ([x = Number.NaN], node) => (x > 0 ? x : number(node, "alpha", 0.01) * x),
  Clip: ([x = Number.NaN, low, high], node) =>
    Math.min(Math.max(x, low ?? number(node, "min", -Infinity)), high ?? number(node, "max", Infinity)),
  Gelu: ([x = Number.NaN], node) => (node.attributes.get("approximate") === "tanh" ? geluTanh(x) : gelu(x)),
  Swish: ([x = Number.NaN], node) => swish(x, number(node, "alpha", 1)),
  SwiGLU: ([a = Number.NaN, b = Number.NaN], node) => swish(a, number(node, "alpha", 1)) * b,
  "com.microsoft.Gelu": one(gelu),
  "com.microsoft.BiasGelu": one(gelu),
  "com.microsoft.FastGelu": one(geluTanh),
  "com.microsoft.QuickGelu": ([x = Number.NaN], node) => swish(x, number(node, "alpha", 1.702)),
};

export const operatorOf = ({ domain, op }: OnnxNode): string =>
  domain === "" || domain === "ai.onnx" ? op : `${domain}.${op}`;
/** The rule of a node's operator; undefined for one that is no elementwise function of numbers. */
export const ruleOf = (node: OnnxNode): Rule | undefined => {
  const operator = operatorOf(node);
  return Object.hasOwn(rules, operator) ? rules[operator] : undefined;
};
/** How many of an operator's inputs are data; the rest are biases, which move the point and not the formula. */
export const dataInputs = (node: OnnxNode): number =>
  /(Bias|Fast)Gelu$/.test(node.op) ? 1 : node.inputs.length;
