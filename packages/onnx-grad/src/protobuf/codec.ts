// Models to and from ONNX files: opset 21, IR version 10, tensors as raw little-endian data.

import protobuf from "protobufjs/light.js";
import type { OnnxAttribute, OnnxNode } from "swiglu/onnx";
import type { Initializer, Model, ValueInfo } from "../model.js";
import { type DType, elementTypes, type Shape, sizeOf } from "../tensor.js";
import { schema } from "./schema.js";

const opset = 21;
const irVersion = 10;
const modelType = protobuf.Root.fromJSON(schema).lookupType("ModelProto");

/** The ONNX file of a model. Example: `await writeFile("model.onnx", encodeModel(model))`. */
export function encodeModel(model: Model): Uint8Array {
  const proto: ModelProto = {
    irVersion,
    producerName: "onnx-grad",
    opsetImport: [
      { domain: "", version: opset },
      { domain: "com.microsoft", version: 1 },
    ],
    graph: {
      name: "graph",
      node: model.nodes.map(encodeNode),
      initializer: model.initializers.map(encodeTensor),
      input: model.inputs.map(encodeValue),
      output: model.outputs.map(encodeValue),
    },
  };
  return modelType.encode(modelType.fromObject(proto)).finish();
}

/**
 * The model in an ONNX file that keeps to what this package writes: static shapes, tensors as raw data.
 * Errors say what else they found.
 */
export function decodeModel(file: Uint8Array): Model {
  const options = { longs: Number, defaults: true, arrays: true };
  const { graph } = modelType.toObject(modelType.decode(file), options) as ModelProto;
  if (!graph) throw new Error("the file holds no ONNX graph; it is empty or not an ONNX model");
  return {
    inputs: graph.input.map(decodeValue),
    outputs: graph.output.map(decodeValue),
    initializers: graph.initializer.map(decodeTensor),
    nodes: graph.node.map(decodeNode),
  };
}

function encodeNode(node: OnnxNode): NodeProto {
  return {
    input: [...node.inputs],
    output: [...node.outputs],
    name: node.outputs[0]!,
    opType: node.opType,
    attribute: Object.entries(node.attributes ?? {}).map(([name, value]) => encodeAttribute(name, value)),
    domain: node.domain ?? "",
  };
}

function decodeNode(node: NodeProto): OnnxNode {
  const attributes = node.attribute.map((attribute): [string, OnnxAttribute] => [
    attribute.name,
    decodeAttribute(attribute),
  ]);
  return {
    opType: node.opType,
    inputs: node.input,
    outputs: node.output,
    ...(attributes.length > 0 && { attributes: Object.fromEntries(attributes) }),
    ...(node.domain && { domain: node.domain }),
  };
}

/** AttributeProto.AttributeType */
const attributeTypes = { float: 1, int: 2, string: 3, floats: 6, ints: 7 };

function encodeAttribute(name: string, value: OnnxAttribute): AttributeProto {
  if ("int" in value) return { name, type: attributeTypes.int, i: value.int };
  if ("ints" in value) return { name, type: attributeTypes.ints, ints: [...value.ints] };
  if ("float" in value) return { name, type: attributeTypes.float, f: value.float };
  if ("floats" in value) return { name, type: attributeTypes.floats, floats: [...value.floats] };
  return { name, type: attributeTypes.string, s: value.string };
}

function decodeAttribute({ name, type, i, ints, f, floats, s }: AttributeProto): OnnxAttribute {
  if (type === attributeTypes.int) return { int: i ?? 0 };
  if (type === attributeTypes.ints) return { ints: ints ?? [] };
  if (type === attributeTypes.float) return { float: f ?? 0 };
  if (type === attributeTypes.floats) return { floats: floats ?? [] };
  if (type === attributeTypes.string) return { string: s ?? "" };
  throw new Error(`attribute "${name}" has type ${type}; only int, ints, float, floats and string are read`);
}

function encodeValue({ name, dtype, shape }: ValueInfo): ValueInfoProto {
  const dim = shape.map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType: elementTypes[dtype], shape: { dim } } } };
}

function decodeValue({ name, type }: ValueInfoProto): ValueInfo {
  const shape = type.tensorType.shape.dim.map(({ dimValue }) => dimValue);
  return { name, dtype: decodeType(name, type.tensorType.elemType), shape };
}

function decodeType(name: string, elementType: number): DType {
  for (const dtype of Object.keys(elementTypes) as DType[]) {
    if (elementTypes[dtype] === elementType) return dtype;
  }
  throw new Error(
    `tensor "${name}" has ONNX element type ${elementType}; only ${Object.keys(elementTypes).join(", ")} are read`,
  );
}

function encodeTensor({ name, dtype, shape, data }: Initializer): TensorProto {
  const { buffer, byteOffset, byteLength } = typedArray(dtype, data);
  return {
    dims: [...shape],
    dataType: elementTypes[dtype],
    name,
    rawData: new Uint8Array(buffer, byteOffset, byteLength),
  };
}

function decodeTensor({ name, dims, dataType, rawData }: TensorProto): Initializer {
  const dtype = decodeType(name, dataType);
  const size = sizeOf(dims);
  if (rawData.length !== size * bytes[dtype]) {
    throw new Error(
      `tensor "${name}" [${dims}] has ${rawData.length} bytes of raw data; expected ${size * bytes[dtype]}`,
    );
  }
  const { buffer } = Uint8Array.from(rawData); // aligned; slice() of a Node Buffer would be a view
  const data =
    dtype === "float32"
      ? new Float32Array(buffer)
      : dtype === "float64"
        ? new Float64Array(buffer)
        : dtype === "int32"
          ? new Int32Array(buffer)
          : dtype === "int64"
            ? Array.from(new BigInt64Array(buffer), Number)
            : new Uint8Array(buffer);
  return { name, dtype, shape: dims, data };
}

const bytes: Readonly<Record<DType, number>> = { float32: 4, float64: 8, int32: 4, int64: 8, bool: 1 };

/** Numbers as the typed array that holds this element type, without a copy where they are one already. */
export function typedArray(dtype: DType, data: ArrayLike<number>): TypedArray {
  switch (dtype) {
    case "float32":
      return data instanceof Float32Array ? data : Float32Array.from(data);
    case "float64":
      return data instanceof Float64Array ? data : Float64Array.from(data);
    case "int32":
      return data instanceof Int32Array ? data : Int32Array.from(data);
    case "int64":
      return BigInt64Array.from(Array.from(data), BigInt);
    case "bool":
      return data instanceof Uint8Array ? data : Uint8Array.from(data);
  }
}

export type TypedArray = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

// Messages of the schema, as protobufjs takes and gives them.
interface AttributeProto {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: string;
  floats?: number[];
  ints?: number[];
}
interface NodeProto {
  input: string[];
  output: string[];
  name: string;
  opType: string;
  attribute: AttributeProto[];
  domain: string;
}
interface TensorProto {
  dims: Shape;
  dataType: number;
  name: string;
  rawData: Uint8Array;
}
interface ValueInfoProto {
  name: string;
  type: { tensorType: { elemType: number; shape: { dim: { dimValue: number }[] } } };
}
interface ModelProto {
  irVersion: number;
  producerName: string;
  opsetImport: { domain: string; version: number }[];
  graph: {
    name: string;
    node: NodeProto[];
    initializer: TensorProto[];
    input: ValueInfoProto[];
    output: ValueInfoProto[];
  };
}
