// Messages of an ONNX file to models. Whatever a model of this library cannot hold is an error that names it.
import {
  type ElementType,
  elementBytes,
  elementTypeOf,
  elementTypes,
  numbersFrom,
} from "../model/elements.js";
import type {
  Dimension,
  Initializer,
  OnnxAttribute,
  OnnxFunction,
  OnnxNode,
  ValueInfo,
} from "../model/model.js";
import type { Message } from "./messages.js";
import { utf8 } from "./read.js";
import { attributeTypes, type Frame } from "./to-messages.js";

/** The model in a message; `tensorFrom` makes its tensors, which may stay in a file. */
export function modelFrom<T>(
  { graph, opsetImport, functions }: Message<"ModelProto">,
  tensorFrom: (tensor: Message<"TensorProto">) => T,
): Frame & { readonly initializers: T[] } {
  if (!graph) throw new Error("the file holds no ONNX graph; it is empty or not an ONNX model");
  const others = opsetImport.filter(({ domain = "" }) => domain !== "");
  return {
    opset: opsetOf(opsetImport, "the file"),
    ...(others.length > 0 && {
      domains: record(
        others.map(({ domain = "", version }) => [domain, version]),
        "the file's operator set",
      ),
    }),
    inputs: graph.input.map(valueFrom),
    outputs: graph.output.map(valueFrom),
    initializers: graph.initializer.map(tensorFrom),
    nodes: graph.node.map(nodeFrom),
    ...(functions.length > 0 && { functions: functions.map(functionFrom) }),
  };
}

function opsetOf(imports: readonly Message<"OperatorSetIdProto">[], owner: string): number {
  const own = imports.find(({ domain = "" }) => domain === "" || domain === "ai.onnx");
  if (!own) throw new Error(`${owner} does not say which version of ONNX's operators it uses`);
  if (own.version < 1)
    throw new Error(`${owner} says version ${own.version} of ONNX's operators, expected 1 or more`);
  return own.version;
}

function nodeFrom(node: Message<"NodeProto">, index: number): OnnxNode {
  const { opType, input, output, attribute, domain = "" } = node;
  if (opType === "" || output.length === 0)
    throw new Error(
      `node ${index} ${opType === "" ? "names no operator" : `(${shown(opType)}) gives no output`}; the file is damaged`,
    );
  return {
    opType,
    inputs: input,
    outputs: output,
    ...(attribute.length > 0 && {
      attributes: record(
        attribute.map((own) => [own.name, attributeFrom(own)]),
        `node ${index} (${shown(opType)}): attribute`,
      ),
    }),
    ...(domain !== "" && { domain }),
  };
}

function functionFrom(proto: Message<"FunctionProto">): OnnxFunction {
  const { domain = "", name, input, output, attributeProto, node, opsetImport } = proto;
  const owner = `function ${shown(name)}`;
  return {
    domain,
    name,
    inputs: input,
    outputs: output,
    attributes: record(
      attributeProto.map((own) => {
        const value = attributeFrom(own);
        if ("float" in value) return [own.name, value.float];
        throw new Error(`${owner}: attribute ${shown(own.name)} is not a float, which alone is read there`);
      }),
      `${owner}: attribute`,
    ),
    nodes: node.map(nodeFrom),
    opset: opsetOf(opsetImport, owner),
  };
}

function attributeFrom(proto: Message<"AttributeProto">): OnnxAttribute {
  const { name, type, i, ints, f, floats, s, t, refAttrName = "" } = proto;
  if (refAttrName !== "" && type === attributeTypes.float) return { floatOf: refAttrName };
  if (type === attributeTypes.int) return { int: i ?? 0 };
  if (type === attributeTypes.ints) return { ints };
  if (type === attributeTypes.float) return { float: f ?? 0 };
  if (type === attributeTypes.floats) return { floats };
  if (type === attributeTypes.string) {
    const string = s === undefined ? "" : utf8(s);
    if (string === undefined) throw new Error(`attribute ${shown(name)} is not text in UTF-8`);
    return { string };
  }
  if (type === attributeTypes.tensor && t) {
    const { name: _, ...tensor } = initializerFrom(t);
    return { tensor };
  }
  throw new Error(
    `attribute ${shown(name)} has type ${type}; only int, ints, float, floats, string and tensor are read`,
  );
}

function valueFrom({ name, type }: Message<"ValueInfoProto">): ValueInfo {
  const { elemType, shape } = type.tensorType;
  return {
    name,
    dtype: typeFrom(name, elemType),
    shape: shape.dim.map(({ dimValue, dimParam = "" }, axis): Dimension => {
      if (dimParam !== "") return dimParam;
      if (dimValue !== undefined && dimValue >= 0) return dimValue;
      throw new Error(
        `tensor ${shown(name)} has ${dimValue === undefined ? "neither a size nor a name" : `the size ${dimValue}`} at axis ${axis}; expected a name, or 0 or more`,
      );
    }),
  };
}

function typeFrom(name: string, code: number): ElementType {
  const type = elementTypeOf(code);
  if (type) return type;
  throw new Error(
    `tensor ${shown(name)} has ONNX element type ${code}; only ${elementTypes.join(", ")} are read`,
  );
}

interface TensorHead {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** Name, type and shape of a tensor's message, checked, and the number of bytes that its data must have. */
export function headFrom({ name = "", dims, dataType }: Message<"TensorProto">): TensorHead {
  const dtype = typeFrom(name, dataType);
  const wrong = dims.find((size) => size < 0);
  if (wrong !== undefined)
    throw new Error(`tensor ${shown(name)} has a size of ${wrong}; expected 0 or more`);
  const bytes = dims.reduce((product, size) => product * size, elementBytes(dtype));
  if (!Number.isSafeInteger(bytes))
    throw new Error(`tensor ${shown(name)} ${shownShape(dims)} has more elements than can be counted`);
  return { name, dtype, shape: dims, bytes };
}

/** A tensor with its data inside the file. */
export function initializerFrom(tensor: Message<"TensorProto">): Initializer {
  const { bytes, ...head } = headFrom(tensor);
  const { name, dtype, shape } = head;
  if (isExternal(tensor))
    throw new Error(
      `tensor ${shown(name)} has its data in another file; read it with decodeExternal, or with openModel in Node`,
    );
  const raw = tensor.rawData ?? new Uint8Array();
  if (raw.length !== bytes)
    throw new Error(
      `tensor ${shown(name)} ${shownShape(shape)} has ${raw.length} bytes of raw data; expected ${bytes}`,
    );
  try {
    return { ...head, data: numbersFrom(dtype, raw) };
  } catch (error) {
    throw new Error(`tensor ${shown(name)}: ${(error as Error).message}`);
  }
}

/** Whether a tensor's data is in another file. */
export function isExternal({ dataLocation = 0, externalData }: Message<"TensorProto">): boolean {
  return dataLocation !== 0 || externalData.length > 0;
}

/** Names and values as a record. Throws an Error for a name that occurs twice. */
function record<V>(entries: readonly (readonly [string, V])[], what: string): Readonly<Record<string, V>> {
  const names = new Set<string>();
  for (const [name] of entries) {
    if (names.has(name)) throw new Error(`${what} ${shown(name)} is there twice`);
    names.add(name);
  }
  return Object.fromEntries(entries);
}

/** A name from a file, ready for an error's sentence: quoted, without control characters, and shorter than a line. */
export function shown(name: string): string {
  return name.length > 80 ? `${JSON.stringify(name.slice(0, 80))}...` : JSON.stringify(name);
}

function shownShape(shape: readonly number[]): string {
  return shape.length > 8 ? `[${shape.slice(0, 8)}, ... ${shape.length} axes]` : `[${shape}]`;
}
