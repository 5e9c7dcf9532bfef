// The entry "swiglu/onnx": activations and other expressions as ONNX nodes, and models as ONNX files.

export { emitNodes } from "./onnx/expression/emit.js";
export type { EmitOptions, OnnxMath } from "./onnx/expression/options.js";
export { defaultMath } from "./onnx/expression/options.js";
export { decodeModel, encodeModel } from "./onnx/file/codec.js";
export {
  decodeExternal,
  type ExternalFiles,
  type ExternalOptions,
  encodeExternal,
  loadModel,
  type ReadData,
  type StoredModel,
  type StoredTensor,
} from "./onnx/file/external.js";
export { openModel, type WriteModelOptions, writeModel } from "./onnx/file/node.js";
export { type ActivationGraphOptions, activationGraph } from "./onnx/graph/activation-graph.js";
export {
  type BlockGraphOptions,
  ffnGraph,
  type GatedBlockGraphOptions,
  type GatedDenseWeights,
  type GraphWeights,
  gatedDenseGraph,
  gatedFfnGraph,
} from "./onnx/graph/block-graph.js";
export type { Graph, GraphTensor, GraphWeight, GraphWriter } from "./onnx/graph/graph.js";
export type { GraphInput, GraphParameter } from "./onnx/graph/parameters.js";
export {
  type Attributes,
  type BuilderOptions,
  GraphBuilder,
  type TensorNames,
} from "./onnx/model/builder.js";
export {
  type ElementType,
  elementCode,
  type FloatType,
  type NumberArray,
  numbersIn,
  type TypedArray,
  typedArray,
} from "./onnx/model/elements.js";
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
} from "./onnx/model/model.js";
export type {
  Runtime,
  RuntimeData,
  RuntimeSession,
  RuntimeTensor,
  RuntimeType,
} from "./onnx/runtime/runtime.js";
export { isRuntime } from "./onnx/runtime/runtime.js";
export { Session, type SessionSettings, type ShapedArray, sessionOptions } from "./onnx/runtime/session.js";
export {
  type ModelOptions,
  type NodeOptions,
  type Subgraph,
  toFile,
  toFunction,
  toModel,
  toNodes,
} from "./onnx/write/faces.js";
export type { WriteOptions } from "./onnx/write/settings.js";
export { type OrtOptions, ort } from "./ort/backend.js";
export type { OrtRuntime } from "./ort/loader.js";
