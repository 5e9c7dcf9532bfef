// The entry "swiglu/onnx": activations and other expressions as ONNX nodes, and models as ONNX files.
export { decodeModel, encodeModel } from "./codec.js";
export { type ElementType, elementCode, type FloatType, type TypedArray, typedArray } from "./elements.js";
export { emitNodes } from "./emit.js";
export type {
  Dimension,
  Initializer,
  Model,
  OnnxAttribute,
  OnnxConstant,
  OnnxFragment,
  OnnxFunction,
  OnnxNode,
  ValueInfo,
} from "./model.js";
export type { EmitOptions, OnnxMath } from "./options.js";
export { type OrtOptions, ort } from "./ort/backend.js";
export type { OrtRuntime } from "./ort/runtime.js";
