// onnx-grad: build a graph, differentiate it, and run it on ONNX Runtime.
export { gradient } from "./gradient.js";
export { buildModel, type Initializer, type Model, type ValueInfo } from "./model.js";
export * from "./operations/index.js";
export { decodeModel, encodeModel, type TypedArray } from "./protobuf/codec.js";
export {
  type CompileOptions,
  compile,
  type Data,
  Program,
  type Runtime,
  type RuntimeSession,
  type RuntimeTensor,
} from "./session.js";
export { constant, type DType, input, type Operand, type Shape, Tensor } from "./tensor.js";
