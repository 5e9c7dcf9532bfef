// The entry "swiglu/onnx": activations and other expressions as ONNX nodes.
export { type EmitOptions, emitNodes } from "./emit.js";
export type { OnnxAttribute, OnnxConstant, OnnxFragment, OnnxNode } from "./nodes.js";
