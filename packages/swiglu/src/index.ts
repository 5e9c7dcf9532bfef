// The public face of the core: the catalogue, values and gradients in float64, expressions, layouts, the reference backend.
export type {
  ActivationGradients,
  ActivationInputs,
  Backend,
  BackwardOptions,
  GradientOutputs,
  SyncBackend,
} from "./backend/backend.js";
export type { Ffn, FfnGradients, Pass, PassOptions, PassOutputs } from "./block/block.js";
export type {
  FfnOptions,
  FfnWeights,
  GatedFfnOptions,
  GatedFfnWeights,
  PackedWeights,
  SelfGatedWeights,
  SeparateWeights,
} from "./block/weights.js";
export type { ActivateOptions, Data, PackedInput, ParameterValue, Tensor } from "./call/data.js";
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
export { type CodeTarget, codeTargets, toCode } from "./code/to-code.js";
export { errorBound, errorScale, float32, float64, type Precision } from "./expression/bound.js";
export { differentiate } from "./expression/differentiate.js";
export type { Expr, Operand, Operation } from "./expression/expr.js";
export * as expressions from "./expression/expr.js";
export { type ExpressionJson, expressionFromJson, expressionToJson } from "./expression/json.js";
export { latex, latexWithParts, text, textWithParts } from "./expression/print.js";
export { simplify } from "./expression/simplify.js";
export { compile, type Tape } from "./expression/tape.js";
export { type ActivationTextOptions, activationFromText } from "./formula/activation.js";
export { mathml, mathmlWithParts } from "./formula/mathml.js";
export { expressionFromText, type FormulaOptions } from "./formula/parse.js";
export { type Layout, type PackedLayout, pack, unpack } from "./layout.js";
export { reference } from "./reference/backend.js";
export { evaluate, gradient } from "./scalar.js";
export { symbol } from "./symbols.js";
export { transpose } from "./transpose.js";
export { type WasmOptions, wasm } from "./wasm/backend.js";
export { type WebgpuBackend, webgpu } from "./webgpu/backend.js";
export type { WebgpuOptions, WebgpuTensor } from "./webgpu/device/options.js";
