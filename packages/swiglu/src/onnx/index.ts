// The entry "swiglu/onnx": activations and other expressions as ONNX nodes, and models as ONNX files.

export { type OrtOptions, ort } from "../ort/backend.js";
export type { OrtRuntime } from "../ort/runtime.js";
export { type ActivationGraphOptions, activationGraph } from "./activation-graph.js";
export {
  type BlockGraphOptions,
  ffnGraph,
  type GatedBlockGraphOptions,
  type GatedDenseWeights,
  type GraphWeights,
  gatedDenseGraph,
  gatedFfnGraph,
} from "./block-graph.js";
export { decodeModel, encodeModel } from "./codec.js";
export {
  type ElementType,
  elementCode,
  type FloatType,
  type NumberArray,
  numbersIn,
  type TypedArray,
  typedArray,
} from "./elements.js";
export { emitNodes } from "./emit.js";
export {
  type ModelOptions,
  type NodeOptions,
  type Subgraph,
  toFile,
  toFunction,
  toModel,
  toNodes,
} from "./faces.js";
export {
  decodeExternal,
  type ExternalFiles,
  type ExternalOptions,
  encodeExternal,
  loadModel,
  type ReadData,
  type StoredModel,
  type StoredTensor,
} from "./file/external.js";
export { openModel, type WriteModelOptions, writeModel } from "./file/node.js";
export type { Graph, GraphTensor, GraphWeight, GraphWriter } from "./graph.js";
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
export type { GraphInput, GraphParameter } from "./parameters.js";
export type { WriteOptions } from "./settings.js";
