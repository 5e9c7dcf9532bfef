// onnx-grad: build a graph, differentiate it, and run it on ONNX Runtime.
export { type AdamwOptions, type AdamwSchedule, type AdamwState, adamw } from "./adamw.js";
export { decodeModel, encodeModel } from "./file.js";
export { gradient } from "./gradient.js";
export { buildModel, type Initializer, type Model, type ValueInfo } from "./model.js";
export * from "./operations/index.js";
export { type Parameter, ParameterLayout } from "./parameters.js";
export type { CompileOptions, Runtime, RuntimeSession, RuntimeTensor } from "./runtime.js";
export { compile, type Data, Program } from "./session.js";
export { constant, type DType, input, type Operand, type Shape, Tensor, type TypedArray } from "./tensor.js";
export { type StepResult, Training, type TrainingDefinition, type TrainingState } from "./training.js";
