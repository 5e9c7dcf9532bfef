// The entry "swiglu/onnx": activations and other expressions as ONNX nodes, and models as ONNX files.

export { type ActivationGraphOptions, activationGraph } from "./onnx/activation-graph.js";
export {
  type BlockGraphOptions,
  ffnGraph,
  type GatedBlockGraphOptions,
  type GatedDenseWeights,
  type GraphWeights,
  gatedDenseGraph,
  gatedFfnGraph,
} from "./onnx/block-graph.js";
export { decodeModel, encodeModel } from "./onnx/codec.js";
export {
  type ElementType,
  elementCode,
  type FloatType,
  type NumberArray,
  numbersIn,
  type TypedArray,
  typedArray,
} from "./onnx/elements.js";
export { emitNodes } from "./onnx/emit.js";
export {
  type ModelOptions,
  type NodeOptions,
  type Subgraph,
  toFile,
  toFunction,
  toModel,
  toNodes,
} from "./onnx/faces.js";
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
export type { Graph, GraphTensor, GraphWeight, GraphWriter } from "./onnx/graph.js";
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
} from "./onnx/model.js";
export type { EmitOptions, OnnxMath } from "./onnx/options.js";
export type { GraphInput, GraphParameter } from "./onnx/parameters.js";
export type { WriteOptions } from "./onnx/settings.js";
export { type OrtOptions, ort } from "./ort/backend.js";
export type { OrtRuntime } from "./ort/runtime.js";
