// The messages of the ONNX file format (onnx.proto, up to IR version 13) that this library uses. Files are written and read by
// this one table, and the types of the messages are derived from it.

/** The kinds of single values. */
interface Scalars {
  readonly int32: number;
  readonly int64: number;
  readonly float: number;
  readonly string: string;
  readonly bytes: Uint8Array;
}
/**
 * How often a message has a field: once (`required`), at most once (`optional`), any number of times (`repeated`). Of the fields
 * that are `oneof` it has one. A field that is `refused` is not read, and a file that has it is an error. Zeros and empty values
 * are written only for `oneof`, where their presence says which field it is.
 */
type Presence = "required" | "optional" | "oneof" | "repeated" | "refused";
/** A field: its number in the format, the type of its values, and how often a message has it. */
export type Field = readonly [id: number, type: keyof Scalars | MessageName, presence: Presence];

/** The fields of each message in the order of their numbers. A field that is missing here is skipped when a file is read. */
export const messages = {
  ModelProto: {
    irVersion: [1, "int64", "optional"],
    producerName: [2, "string", "optional"],
    graph: [7, "GraphProto", "optional"],
    opsetImport: [8, "OperatorSetIdProto", "repeated"],
    functions: [25, "FunctionProto", "repeated"],
  },
  OperatorSetIdProto: {
    domain: [1, "string", "optional"],
    version: [2, "int64", "required"],
  },
  GraphProto: {
    node: [1, "NodeProto", "repeated"],
    name: [2, "string", "optional"],
    initializer: [5, "TensorProto", "repeated"],
    input: [11, "ValueInfoProto", "repeated"],
    output: [12, "ValueInfoProto", "repeated"],
    sparseInitializer: [15, "bytes", "refused"],
  },
  NodeProto: {
    input: [1, "string", "repeated"],
    output: [2, "string", "repeated"],
    name: [3, "string", "optional"],
    opType: [4, "string", "required"],
    attribute: [5, "AttributeProto", "repeated"],
    domain: [7, "string", "optional"],
    overload: [8, "string", "refused"],
  },
  AttributeProto: {
    name: [1, "string", "required"],
    f: [2, "float", "optional"],
    i: [3, "int64", "optional"],
    s: [4, "bytes", "optional"],
    t: [5, "TensorProto", "optional"],
    floats: [7, "float", "repeated"],
    ints: [8, "int64", "repeated"],
    type: [20, "int32", "required"],
    refAttrName: [21, "string", "optional"],
  },
  TensorProto: {
    dims: [1, "int64", "repeated"],
    dataType: [2, "int32", "required"],
    segment: [3, "bytes", "refused"],
    floatData: [4, "bytes", "refused"],
    int32Data: [5, "bytes", "refused"],
    stringData: [6, "bytes", "refused"],
    int64Data: [7, "bytes", "refused"],
    name: [8, "string", "optional"],
    rawData: [9, "bytes", "optional"],
    doubleData: [10, "bytes", "refused"],
    uint64Data: [11, "bytes", "refused"],
    externalData: [13, "StringStringEntryProto", "repeated"],
    dataLocation: [14, "int32", "optional"],
  },
  StringStringEntryProto: {
    key: [1, "string", "required"],
    value: [2, "string", "optional"],
  },
  ValueInfoProto: {
    name: [1, "string", "required"],
    type: [2, "TypeProto", "required"],
  },
  TypeProto: {
    tensorType: [1, "TensorTypeProto", "required"],
  },
  TensorTypeProto: {
    elemType: [1, "int32", "required"],
    shape: [2, "TensorShapeProto", "required"],
  },
  TensorShapeProto: {
    dim: [1, "Dimension", "repeated"],
  },
  Dimension: {
    dimValue: [1, "int64", "oneof"],
    dimParam: [2, "string", "oneof"],
  },
  FunctionProto: {
    name: [1, "string", "required"],
    input: [4, "string", "repeated"],
    output: [5, "string", "repeated"],
    attribute: [6, "string", "refused"],
    node: [7, "NodeProto", "repeated"],
    opsetImport: [9, "OperatorSetIdProto", "repeated"],
    domain: [10, "string", "optional"],
    attributeProto: [11, "AttributeProto", "repeated"],
    overload: [13, "string", "refused"],
  },
} as const;

type Messages = typeof messages;
/** No message contains its own kind, so that writing and reading never nest deeper than this table. */
export type MessageName = keyof Messages;

type Value<K> = K extends keyof Scalars ? Scalars[K] : K extends MessageName ? Message<K> : never;
type FieldsOf<M extends MessageName, P extends Presence> = {
  [F in keyof Messages[M]]: Messages[M][F] extends readonly [number, string, P] ? F : never;
}[keyof Messages[M]];
type ValueOf<M extends MessageName, F extends keyof Messages[M]> = Messages[M][F] extends readonly [
  number,
  infer K,
  string,
]
  ? Value<K>
  : never;

/** A message as plain data. */
export type Message<M extends MessageName> = {
  readonly [F in FieldsOf<M, "required">]: ValueOf<M, F>;
} & { readonly [F in FieldsOf<M, "optional" | "oneof">]?: ValueOf<M, F> } & {
  readonly [F in FieldsOf<M, "repeated">]: readonly ValueOf<M, F>[];
};

/** The fields of a message by name. */
export function fieldsOf(name: MessageName): readonly (readonly [name: string, field: Field])[] {
  return Object.entries(messages[name] satisfies Readonly<Record<string, Field>>);
}

/** Whether a field holds messages. */
export function isMessage(type: Field[1]): type is MessageName {
  return Object.hasOwn(messages, type);
}
