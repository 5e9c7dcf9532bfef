// An ONNX file without its data: nodes, the names, shapes and places of its tensors, and small constants. Weights are passed
// over, wherever they lie: in the file or in others beside it.
import { type ByteSource, ModelFileError } from "../files/bytes.js";
import { caps, countOf, measure, type TensorInfo } from "../tensor.js";
import { Cursor } from "./cursor.js";
import {
  append,
  constantElements,
  constantOf,
  newTensor,
  readTensorField,
  type Stored,
  types,
} from "./onnx-tensor.js";
import { fieldsOf, floatOf, numbersOf, type ProtoField, textOf, varint } from "./protobuf.js";

/** A node of the graph; attributes are numbers, lists of numbers, texts, or small tensors' numbers. */
export interface OnnxNode {
  readonly op: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, number | string | readonly number[]>;
}

export interface OnnxHeader {
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly TensorInfo[];
  /** The numbers of tensors that are constants of formulas rather than weights. */
  readonly constants: ReadonlyMap<string, readonly number[]>;
  readonly opset: number;
}

/** Bytes of nodes and names that are read, and how many nodes. */
const mostNodeBytes = 4_194_304;
const mostNodes = 500_000;

/** Whether a file begins as ONNX does: with the version of its format, or its graph. */
export const isOnnx = (start: Uint8Array): boolean =>
  (start[0] === 0x08 && (start[1] as number) > 0 && (start[1] as number) < 64) || start[0] === 0x3a;

/** Reads all but data. Throws a ModelFileError that names what is wrong. */
export const readOnnx = (source: ByteSource): Promise<OnnxHeader> => new OnnxReader(source).read();

class OnnxReader {
  readonly #file: string;
  readonly #cursor: Cursor;
  readonly #nodes: OnnxNode[] = [];
  readonly #tensors: TensorInfo[] = [];
  readonly #constants = new Map<string, readonly number[]>();
  #opset = 0;

  constructor(source: ByteSource) {
    this.#file = source.name;
    this.#cursor = new Cursor(source, caps.headerBytes);
  }

  async read(): Promise<OnnxHeader> {
    const end = this.#cursor.position + this.#cursor.left;
    let graphs = 0;
    await this.#message(end, async (id, length) => {
      if (id === 7) {
        graphs++;
        await this.#graph(this.#cursor.position + length);
      } else if (id === 8) {
        const [domain, version] = opsetOf(this.#file, await this.#bytes(length, "an operator set"));
        if (domain === "" || domain === "ai.onnx") this.#opset = version;
      } else this.#cursor.jump(length);
    });
    if (graphs !== 1) throw this.#fail(`has ${graphs} graphs, expected one`);
    return { nodes: this.#nodes, tensors: this.#tensors, constants: this.#constants, opset: this.#opset };
  }

  #fail(what: string): ModelFileError {
    return new ModelFileError(`${this.#file} ${what}: it is damaged, or no ONNX file`);
  }

  /** Walks a message up to `end`: fields with a length go to `take`, which must read or pass them whole; numbers are passed. */
  async #message(end: number, take: (id: number, length: number) => Promise<void>): Promise<void> {
    const cursor = this.#cursor;
    while (cursor.position < end) {
      const tag = await this.#varint(end);
      const [id, wire] = [Math.floor(tag / 8), tag % 8];
      if (id < 1) throw this.#fail(`has a field with number ${id}`);
      if (wire === 0) await this.#varint(end);
      else if (wire === 2) {
        const length = await this.#varint(end);
        const stop = cursor.position + length;
        if (!(length >= 0 && stop <= end))
          throw this.#fail(`has a field of ${length} bytes where ${end - cursor.position} are left`);
        await take(id, length);
        if (cursor.position !== stop)
          throw this.#fail(`has a field whose parts end at ${cursor.position}, not at ${stop}`);
      } else if (wire === 1 || wire === 5) {
        const size = wire === 1 ? 8 : 4;
        if (cursor.position + size > end) throw this.#fail("has a field that is cut off");
        cursor.jump(size);
      } else throw this.#fail(`has a field of wire type ${wire}`);
    }
  }

  async #varint(end: number): Promise<number> {
    const cursor = this.#cursor;
    const most = Math.min(10, end - cursor.position);
    if (!cursor.has(most)) await cursor.need(most, "a field");
    const read = varint(cursor.peek(most), 0);
    if (read === undefined) throw this.#fail("has a number that is cut off");
    cursor.skip(read.end);
    return read.value;
  }

  async #bytes(length: number, what: string): Promise<Uint8Array> {
    if (length > mostNodeBytes)
      throw this.#fail(`has ${what} of ${length} bytes, more than the ${mostNodeBytes} that are read`);
    await this.#cursor.need(length, what);
    return this.#cursor.bytes(length);
  }

  async #graph(end: number): Promise<void> {
    await this.#message(end, async (id, length) => {
      if (id === 1) {
        if (this.#nodes.length >= mostNodes) throw this.#fail(`has more than ${mostNodes} nodes`);
        this.#node(await this.#bytes(length, "a node"));
      } else if (id === 5) await this.#initializer(this.#cursor.position + length);
      else this.#cursor.jump(length);
    });
  }

  #node(bytes: Uint8Array): void {
    const node = { op: "", domain: "", name: "", inputs: [] as string[], outputs: [] as string[] };
    const attributes = new Map<string, number | string | readonly number[]>();
    for (const field of fieldsOf(this.#file, bytes)) {
      if (field.id === 1) node.inputs.push(textOf(field));
      else if (field.id === 2) node.outputs.push(textOf(field));
      else if (field.id === 3) node.name = textOf(field);
      else if (field.id === 4) node.op = textOf(field);
      else if (field.id === 7) node.domain = textOf(field);
      else if (field.id === 5) this.#attribute(field, attributes);
    }
    this.#nodes.push({ ...node, attributes });
    const value = attributes.get("value") ?? attributes.get("value_float") ?? attributes.get("value_int");
    if (node.op === "Constant" && typeof value === "object")
      this.#constants.set(node.outputs[0] ?? "", value);
    else if (node.op === "Constant" && typeof value === "number")
      this.#constants.set(node.outputs[0] ?? "", [value]);
  }

  #attribute(field: ProtoField, attributes: Map<string, number | string | readonly number[]>): void {
    let name = "";
    let value: number | string | readonly number[] | undefined;
    const list: number[] = [];
    for (const part of fieldsOf(this.#file, field.bytes)) {
      if (part.id === 1) name = textOf(part);
      else if (part.id === 2) value = floatOf(part);
      else if (part.id === 3) value = part.value;
      else if (part.id === 4) value = textOf(part);
      else if (part.id === 5) value = this.#smallTensor(part.bytes);
      else if (part.id === 8) append(list, numbersOf(part));
    }
    if (list.length > 0) value = list;
    if (value !== undefined) attributes.set(name, value);
  }

  /** The numbers of a tensor inside a node; undefined where it is large or of a type that no constant has. */
  #smallTensor(bytes: Uint8Array): readonly number[] | undefined {
    const tensor: Stored = newTensor();
    for (const field of fieldsOf(this.#file, bytes)) readTensorField(this.#file, tensor, field, field.bytes);
    return constantOf(tensor);
  }

  async #initializer(end: number): Promise<void> {
    const tensor: Stored = newTensor();
    const cursor = this.#cursor;
    // Numbers are fields too, so this message is walked here: data is passed over, and its place kept.
    while (cursor.position < end) {
      const tag = await this.#varint(end);
      const [id, wire] = [Math.floor(tag / 8), tag % 8];
      if (wire === 0) {
        const value = await this.#varint(end);
        readTensorField(this.#file, tensor, { id, wire, value, bytes: new Uint8Array(0) }, undefined);
      } else if (wire === 2) {
        const length = await this.#varint(end);
        if (!(length >= 0 && cursor.position + length <= end))
          throw this.#fail(
            `has a tensor with a field of ${length} bytes where ${end - cursor.position} are left`,
          );
        const at = { offset: cursor.position, length };
        const large = length > 16 * constantElements && id !== 1 && id !== 8;
        if (large) cursor.jump(length);
        const bytes = large ? undefined : await this.#bytes(length, "a tensor's field");
        if (id === 9) tensor.raw = at;
        if (id === 4 || id === 5 || id === 7) tensor.typed = at;
        if (bytes !== undefined) readTensorField(this.#file, tensor, { id, wire, value: 0, bytes }, bytes);
      } else if (wire === 5 && id === 4) {
        await cursor.need(4, "a number");
        tensor.floats.push(cursor.f32());
      } else throw this.#fail(`has a tensor with a field of wire type ${wire}`);
    }
    const constant = constantOf(tensor);
    if (constant !== undefined) this.#constants.set(tensor.name, constant);
    this.#tensors.push(this.#infoOf(tensor));
  }

  #infoOf({ name, dims, type, raw, typed, external }: Stored): TensorInfo {
    const file = this.#file;
    const format = types.get(type);
    const base = { name, shape: dims, type: format ?? `type ${type}` };
    const elsewhere = new Map(external);
    const location = elsewhere.get("location");
    if (format === undefined) {
      countOf(file, name, dims);
      return { ...base, format: undefined, file, offset: 0, bytes: 0 };
    }
    const { bytes } = measure(file, name, dims, format);
    if (location !== undefined) {
      if (!/^[^/\\:][^\\:]*$/.test(location) || location.split("/").includes(".."))
        throw new ModelFileError(
          `${file}: ${name} lies in ${JSON.stringify(location)}, which is no file beside it`,
        );
      const [offset, length] = [
        Number(elsewhere.get("offset") ?? 0),
        Number(elsewhere.get("length") ?? bytes),
      ];
      if (!Number.isSafeInteger(offset) || offset < 0 || length !== bytes)
        throw new ModelFileError(
          `${file}: ${name} takes ${bytes} bytes, but ${location} is said to have ${length} from ${offset}`,
        );
      return { ...base, format, file: location, offset, bytes };
    }
    // Packed float32 numbers lie as raw ones do; other typed lists do not, and are not read.
    const place = raw ?? (format === "F32" ? typed : undefined);
    if (place === undefined)
      return {
        ...base,
        format: bytes === 0 ? format : undefined,
        type: `${format} as a list of numbers`,
        file,
        offset: 0,
        bytes: 0,
      };
    if (place.length !== bytes)
      throw new ModelFileError(
        `${file}: ${name} is ${format} of shape [${dims.join(", ")}], which takes ${bytes} bytes, but has ${place.length}`,
      );
    return { ...base, format, file, offset: place.offset, bytes };
  }
}

function opsetOf(file: string, bytes: Uint8Array): [domain: string, version: number] {
  let [domain, version] = ["", 0];
  for (const field of fieldsOf(file, bytes)) {
    if (field.id === 1) domain = textOf(field);
    else if (field.id === 2) version = field.value;
  }
  return [domain, version];
}
