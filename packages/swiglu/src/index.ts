// The public face of the core: the catalogue, values and gradients in float64, expressions, layouts, the reference backend.
export {
  type Activation,
  type ActivationJson,
  activationFromJson,
  activationToJson,
  asGated,
  type Definition,
  defineActivation,
  gradientExpressions,
  type Inputs,
  type Kind,
  type Parameters,
} from "./catalogue/activation.js";
export { activationByName, activations } from "./catalogue/catalogue.js";
export * from "./catalogue/names.js";
export { errorBound, errorScale, float32, float64, type Precision } from "./expression/bound.js";
export { differentiate } from "./expression/differentiate.js";
export type { Expr, Operand, Operation } from "./expression/expr.js";
export * as expressions from "./expression/expr.js";
export { type ExpressionJson, expressionFromJson, expressionToJson } from "./expression/json.js";
export { latex, text } from "./expression/print.js";
export { simplify } from "./expression/simplify.js";
export { compile, type Tape } from "./expression/tape.js";
export { type Layout, type PackedLayout, pack, unpack } from "./layout.js";
export { evaluate, gradient } from "./scalar.js";
