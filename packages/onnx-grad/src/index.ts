// onnx-grad: build a graph, differentiate it, and run it on ONNX Runtime.

export type { Runtime, RuntimeSession, RuntimeTensor } from "swiglu/onnx";
export { gradient } from "./gradient.js";
export { constant, input, type Operand, Tensor } from "./graph/tensor.js";
export type { DType, Shape, TypedArray } from "./graph/types.js";
export { decodeModel, encodeModel } from "./model/file.js";
export { buildModel, type Initializer, type Model, type ValueInfo } from "./model/model.js";
export * from "./operations/index.js";
export type { CompileOptions } from "./runtime/options.js";
export { compile, type Data, Program } from "./runtime/program.js";
export { type AdamwOptions, type AdamwSchedule, type AdamwState, adamw } from "./training/adamw.js";
export { type Parameter, ParameterLayout } from "./training/parameters.js";
export {
  type StepResult,
  Training,
  type TrainingDefinition,
  type TrainingState,
} from "./training/training.js";
