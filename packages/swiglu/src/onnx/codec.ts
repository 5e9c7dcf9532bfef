// Models to and from ONNX files; tensors as raw little-endian data.
import protobuf from "protobufjs/light.js";
import {
  type ElementType,
  elementBytes,
  elementCode,
  elementTypeOf,
  elementTypes,
  numbersIn,
  typedArray,
} from "./elements.js";
import type { Initializer, Model, OnnxAttribute, OnnxFunction, OnnxNode, ValueInfo } from "./model.js";
import { schema } from "./schema.js";

const modelType = protobuf.Root.fromJSON(schema).lookupType("ModelProto");

/**
 * The ONNX file of a model. Its IR version is the one that ONNX released together with the operator set, so that older
 * runtimes can load older sets. `producer` is written into the file; default `swiglu`. Throws a RangeError where the data
 * needs more than the 2 GiB that such a file can hold.
 * Example: `await writeFile("model.onnx", encodeModel(model))`.
 */
export function encodeModel(model: Model, { producer = "swiglu" } = {}): Uint8Array {
  const { opset, domains = {}, functions = [] } = model;
  checkSize(model);
  const proto: ModelProto = {
    irVersion: irVersion(model),
    producerName: producer,
    opsetImport: [{ domain: "", version: opset }, ...encodeDomains(domains)],
    graph: {
      name: "graph",
      node: model.nodes.map(encodeNode),
      initializer: model.initializers.map(encodeTensor),
      input: model.inputs.map(encodeValue),
      output: model.outputs.map(encodeValue),
    },
    functions: functions.map(encodeFunction),
  };
  return modelType.encode(modelType.fromObject(proto)).finish();
}

/**
 * The model in an ONNX file that keeps to what this package writes: tensors as raw data, no subgraphs.
 * Errors say what else they found.
 */
export function decodeModel(file: Uint8Array): Model {
  const options = { longs: Number, defaults: true, arrays: true, oneofs: true };
  const { graph, opsetImport, functions } = modelType.toObject(modelType.decode(file), options) as ModelProto;
  if (!graph) throw new Error("the file holds no ONNX graph; it is empty or not an ONNX model");
  const others = opsetImport.filter(({ domain }) => domain !== "");
  return {
    opset: opsetOf(opsetImport),
    ...(others.length > 0 && {
      domains: Object.fromEntries(others.map(({ domain, version }) => [domain, version])),
    }),
    inputs: graph.input.map(decodeValue),
    outputs: graph.output.map(decodeValue),
    initializers: graph.initializer.map(decodeTensor),
    nodes: graph.node.map(decodeNode),
    ...(functions.length > 0 && { functions: functions.map(decodeFunction) }),
  };
}

function checkSize({ initializers }: Model): void {
  const bytes = initializers.reduce((sum, { dtype, data }) => sum + data.length * elementBytes(dtype), 0);
  if (bytes < 2 ** 31) return;
  throw new RangeError(
    `the model holds ${bytes} bytes of data, but an ONNX file ends at 2 GiB: write it in parts, or as float16`,
  );
}

/** The first IR version that ONNX released with an operator set, from the newest; functions with defaults came with 9. */
const irVersions: readonly (readonly [opset: number, irVersion: number])[] = [
  [25, 13],
  [24, 12],
  [23, 11],
  [21, 10],
  [19, 9],
  [15, 8],
  [0, 7],
];
function irVersion({ opset, functions = [] }: Model): number {
  const [, version] = irVersions.find(([first]) => opset >= first) as readonly [number, number];
  return functions.length > 0 ? Math.max(version, 9) : version;
}

function encodeDomains(domains: Readonly<Record<string, number>>): OperatorSetProto[] {
  return Object.entries(domains).map(([domain, version]) => ({ domain, version }));
}

function opsetOf(imports: readonly OperatorSetProto[]): number {
  const own = imports.find(({ domain }) => domain === "" || domain === "ai.onnx");
  if (!own) throw new Error("the file does not say which version of ONNX's operators it uses");
  return own.version;
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

function encodeFunction(definition: OnnxFunction): FunctionProto {
  const { domain, name, inputs, outputs, attributes, nodes, opset } = definition;
  return {
    name,
    domain,
    input: [...inputs],
    output: [...outputs],
    node: nodes.map(encodeNode),
    opsetImport: [{ domain: "", version: opset }],
    attributeProto: Object.entries(attributes).map(([key, float]) => encodeAttribute(key, { float })),
  };
}

function decodeFunction(proto: FunctionProto): OnnxFunction {
  const { domain, name, input, output, attributeProto, node, opsetImport } = proto;
  return {
    domain,
    name,
    inputs: input,
    outputs: output,
    attributes: Object.fromEntries(attributeProto.map((attribute) => [attribute.name, attribute.f ?? 0])),
    nodes: node.map(decodeNode),
    opset: opsetOf(opsetImport),
  };
}

/** AttributeProto.AttributeType */
const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7 };

function encodeAttribute(name: string, value: OnnxAttribute): AttributeProto {
  if ("int" in value) return { name, type: attributeTypes.int, i: value.int };
  if ("ints" in value) return { name, type: attributeTypes.ints, ints: [...value.ints] };
  if ("float" in value) return { name, type: attributeTypes.float, f: value.float };
  if ("floats" in value) return { name, type: attributeTypes.floats, floats: [...value.floats] };
  if ("tensor" in value)
    return { name, type: attributeTypes.tensor, t: encodeTensor({ name, ...value.tensor }) };
  if ("floatOf" in value) return { name, type: attributeTypes.float, refAttrName: value.floatOf };
  return { name, type: attributeTypes.string, s: new TextEncoder().encode(value.string) };
}

function decodeAttribute(proto: AttributeProto): OnnxAttribute {
  const { name, type, i, ints, f, floats, s, t, refAttrName } = proto;
  if (refAttrName && type === attributeTypes.float) return { floatOf: refAttrName };
  if (type === attributeTypes.int) return { int: i ?? 0 };
  if (type === attributeTypes.ints) return { ints: ints ?? [] };
  if (type === attributeTypes.float) return { float: f ?? 0 };
  if (type === attributeTypes.floats) return { floats: floats ?? [] };
  if (type === attributeTypes.string) return { string: new TextDecoder().decode(s) };
  if (type === attributeTypes.tensor && t) {
    const { name: _, ...tensor } = decodeTensor(t);
    return { tensor };
  }
  throw new Error(
    `attribute "${name}" has type ${type}; only int, ints, float, floats, string and tensor are read`,
  );
}

function encodeValue({ name, dtype, shape }: ValueInfo): ValueInfoProto {
  const dim = shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: elementCode(dtype), shape: { dim } } } };
}

function decodeValue({ name, type }: ValueInfoProto): ValueInfo {
  const shape = type.tensorType.shape.dim.map(({ dimValue, dimParam }) => dimParam || (dimValue ?? 0));
  return { name, dtype: decodeType(name, type.tensorType.elemType), shape };
}

function decodeType(name: string, code: number): ElementType {
  const type = elementTypeOf(code);
  if (type) return type;
  throw new Error(`tensor "${name}" has ONNX element type ${code}; only ${elementTypes.join(", ")} are read`);
}

function encodeTensor({ name, dtype, shape, data }: Initializer): TensorProto {
  const { buffer, byteOffset, byteLength } = typedArray(dtype, data);
  return {
    dims: [...shape],
    dataType: elementCode(dtype),
    name,
    rawData: new Uint8Array(buffer, byteOffset, byteLength),
  };
}

function decodeTensor({ name, dims, dataType, rawData }: TensorProto): Initializer {
  const dtype = decodeType(name, dataType);
  const expected = dims.reduce((product, size) => product * size, 1) * elementBytes(dtype);
  if (rawData.length !== expected)
    throw new Error(
      `tensor "${name}" [${dims}] has ${rawData.length} bytes of raw data; expected ${expected}`,
    );
  // Uint8Array.from gives a buffer of its own, aligned; slice() of a Node Buffer would be a view.
  return { name, dtype, shape: dims, data: numbersIn(dtype, Uint8Array.from(rawData).buffer) };
}

// Messages of the schema, as protobufjs takes and gives them.
interface AttributeProto {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorProto;
  floats?: number[];
  ints?: number[];
  refAttrName?: string;
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
  dims: number[];
  dataType: number;
  name: string;
  rawData: Uint8Array;
}
interface ValueInfoProto {
  name: string;
  type: {
    tensorType: { elemType: number; shape: { dim: { dimValue?: number; dimParam?: string }[] } };
  };
}
interface OperatorSetProto {
  domain: string;
  version: number;
}
interface FunctionProto {
  name: string;
  domain: string;
  input: string[];
  output: string[];
  node: NodeProto[];
  opsetImport: OperatorSetProto[];
  attributeProto: AttributeProto[];
}
interface ModelProto {
  irVersion: number;
  producerName: string;
  opsetImport: OperatorSetProto[];
  graph: {
    name: string;
    node: NodeProto[];
    initializer: TensorProto[];
    input: ValueInfoProto[];
    output: ValueInfoProto[];
  };
  functions: FunctionProto[];
}
