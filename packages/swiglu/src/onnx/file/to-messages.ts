// Models as the messages of an ONNX file.
import { sizeOf } from "../../layout.js";
import { bytesOf, elementCode } from "../model/elements.js";
import type { Initializer, Model, OnnxAttribute, OnnxFunction, OnnxNode, ValueInfo } from "../model/model.js";
import type { Message } from "./messages.js";

/** AttributeProto.AttributeType */
export const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7 } as const;

/** A model without its tensors. */
export type Frame = Omit<Model, "initializers">;

/** The message of a model whose tensors are given as messages. */
export function modelMessage(
  { opset, domains = {}, functions = [], inputs, outputs, nodes }: Frame,
  initializer: readonly Message<"TensorProto">[],
  producerName: string,
): Message<"ModelProto"> {
  const [, released] = irVersions.find(([first]) => opset >= first) as readonly [number, number];
  return {
    irVersion: functions.length > 0 ? Math.max(released, 9) : released,
    producerName,
    opsetImport: [
      { domain: "", version: opset },
      ...Object.entries(domains).map(([domain, version]) => ({ domain, version })),
    ],
    graph: {
      name: "graph",
      node: nodes.map(nodeMessage),
      initializer,
      input: inputs.map(valueMessage),
      output: outputs.map(valueMessage),
    },
    functions: functions.map(functionMessage),
  };
}

/** The IR version that ONNX released with each operator set, the newest first. Functions with default attributes need version 9. */
const irVersions: readonly (readonly [opset: number, irVersion: number])[] = [
  [25, 13],
  [24, 12],
  [23, 11],
  [21, 10],
  [19, 9],
  [15, 8],
  [0, 7],
];

/** The message of a tensor with its data inside. */
export function tensorMessage({ name, dtype, shape, data }: Initializer): Message<"TensorProto"> {
  checkData(name, shape, data);
  try {
    return {
      dims: shape,
      dataType: elementCode(dtype),
      name,
      rawData: bytesOf(dtype, data, 0, data.length),
      externalData: [],
    };
  } catch (error) {
    throw new RangeError(`tensor "${name}": ${(error as Error).message}`);
  }
}

/** Throws a RangeError where a tensor's data is not what its shape needs. */
export function checkData(
  name: string,
  shape: readonly number[],
  { length }: { readonly length: number },
): void {
  const needed = sizeOf(shape, `the shape of tensor "${name}"`);
  if (length !== needed)
    throw new RangeError(`tensor "${name}" has ${length} elements; its shape [${shape}] needs ${needed}`);
}

function nodeMessage(node: OnnxNode): Message<"NodeProto"> {
  return {
    input: node.inputs,
    output: node.outputs,
    name: node.outputs[0] ?? "",
    opType: node.opType,
    attribute: Object.entries(node.attributes ?? {}).map(([name, value]) => attributeMessage(name, value)),
    domain: node.domain ?? "",
  };
}

function functionMessage(definition: OnnxFunction): Message<"FunctionProto"> {
  const { domain, name, inputs, outputs, attributes, nodes, opset } = definition;
  return {
    name,
    domain,
    input: inputs,
    output: outputs,
    node: nodes.map(nodeMessage),
    opsetImport: [{ domain: "", version: opset }],
    attributeProto: Object.entries(attributes).map(([key, float]) => attributeMessage(key, { float })),
  };
}

function attributeMessage(name: string, value: OnnxAttribute): Message<"AttributeProto"> {
  const none = { name, floats: [], ints: [] };
  if ("int" in value) return { ...none, type: attributeTypes.int, i: value.int };
  if ("ints" in value) return { ...none, type: attributeTypes.ints, ints: value.ints };
  if ("float" in value) return { ...none, type: attributeTypes.float, f: value.float };
  if ("floats" in value) return { ...none, type: attributeTypes.floats, floats: value.floats };
  if ("tensor" in value)
    return { ...none, type: attributeTypes.tensor, t: tensorMessage({ name, ...value.tensor }) };
  if ("floatOf" in value) return { ...none, type: attributeTypes.float, refAttrName: value.floatOf };
  return { ...none, type: attributeTypes.string, s: new TextEncoder().encode(value.string) };
}

function valueMessage({ name, dtype, shape }: ValueInfo): Message<"ValueInfoProto"> {
  const dim = shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: elementCode(dtype), shape: { dim } } } };
}
