// onnx-grad: build a graph, differentiate it, and run it on ONNX Runtime.

export { gradient } from "./gradient.js";
export {
  constant,
  type DType,
  input,
  type Operand,
  type Shape,
  Tensor,
  type TypedArray,
} from "./graph/tensor.js";
export { decodeModel, encodeModel } from "./model/file.js";
export { buildModel, type Initializer, type Model, type ValueInfo } from "./model/model.js";
export * from "./operations/index.js";
export type { CompileOptions, Runtime, RuntimeSession, RuntimeTensor } from "./runtime/options.js";
export { compile, type Data, Program } from "./runtime/program.js";
export { type AdamwOptions, type AdamwSchedule, type AdamwState, adamw } from "./training/adamw.js";
export { type Parameter, ParameterLayout } from "./training/parameters.js";
export {
  type StepResult,
  Training,
  type TrainingDefinition,
  type TrainingState,
} from "./training/training.js";
