// Model files: what their headers say, their numbers as float32, and their feed-forward blocks ready for any backend.
export type { Role, Slot } from "./blocks/names.js";
export { type BlockChoice, type OpenedBlock, openBlock } from "./blocks/open-block.js";
export { type CompareOptions, type Comparison, compareModels } from "./check/against.js";
export type { BlockReport, Report } from "./check/block-report.js";
export { type Engine, engineDeviations } from "./check/engines.js";
export type { Field, Strength } from "./check/field.js";
export { check, checkModel } from "./check/report.js";
export type { BlockLayout, Orientation } from "./check/shape.js";
export { type ByteSource, ModelFileError } from "./files/bytes.js";
export type { ModelInput } from "./files/open.js";
export type { WebOptions } from "./files/web.js";
export type { FormatName } from "./formats/table.js";
export { type Model, type ModelFormat, openModel } from "./model.js";
export type { Rows } from "./read.js";
export type { MetadataValue } from "./readers/gguf.js";
export type { OnnxHeader, OnnxNode } from "./readers/onnx.js";
export type { TensorInfo } from "./tensor.js";
