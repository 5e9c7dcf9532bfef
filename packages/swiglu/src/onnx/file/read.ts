// The bytes of Protocol Buffers to messages, read strictly. A field that is cut off, out of range, of another type than the table
// says, missing or there twice is an error; the error names the field and its position. Fields that the table lacks are skipped.
import { type Field, fieldsOf, isMessage, type Message, type MessageName } from "./messages.js";

/** Reads a message. Throws an Error that says what is wrong and where. */
export function decodeMessage<M extends MessageName>(name: M, bytes: Uint8Array): Message<M> {
  return new Reader(bytes).message(name, bytes.length) as Message<M>;
}

/** A kind of message as the reader needs it: its fields by number, its lists (empty where a file has none), its required fields. */
interface FieldIndex {
  readonly byId: readonly ({ readonly name: string; readonly field: Field } | undefined)[];
  readonly lists: readonly string[];
  readonly required: readonly string[];
}
const fieldIndices = new Map<MessageName, FieldIndex>();

function fieldIndexOf(name: MessageName): FieldIndex {
  const known = fieldIndices.get(name);
  if (known) return known;
  const fields = fieldsOf(name);
  const byId: { name: string; field: Field }[] = [];
  for (const [own, field] of fields) byId[field[0]] = { name: own, field };
  const having = (presence: Field[2]) =>
    fields.filter(([, field]) => field[2] === presence).map(([own]) => own);
  const index = { byId, lists: having("repeated"), required: having("required") };
  fieldIndices.set(name, index);
  return index;
}

const varint = 0;
const fixed64 = 1;
const sized = 2;
const fixed32 = 5;

/** The one empty list that all messages share: a file may hold millions of empty lists. */
const none: readonly never[] = Object.freeze([]);

class Reader {
  private at = 0;
  /** The names of the fields around the one that is being read, the outermost first, with their positions in lists. */
  private readonly path: string[] = [];
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  message(type: MessageName, end: number): Readonly<Record<string, unknown>> {
    const { byId, lists, required } = fieldIndexOf(type);
    const message: Record<string, unknown> = {};
    for (const list of lists) message[list] = none;
    while (this.at < end) {
      const tag = this.tag(end);
      const known = byId[tag >>> 3];
      if (known) this.field(message, known.name, known.field, tag & 7, end);
      else this.skip(tag & 7, end);
    }
    for (const name of required)
      if (message[name] === undefined) throw this.fault(`${this.where(name)} is missing`);
    return message;
  }

  private field(
    message: Record<string, unknown>,
    name: string,
    [, type, presence]: Field,
    wire: number,
    end: number,
  ): void {
    const known = message[name];
    if (presence === "refused") throw this.fault(`${this.where(name)} is there, which is not read`);
    if (presence !== "repeated") {
      if (known !== undefined) throw this.fault(`${this.where(name)} is there twice`);
      message[name] = this.value(name, type, wire, end);
      return;
    }
    const list = known === none ? [] : (known as unknown[]);
    if (known === none) message[name] = list;
    const numeric = !isMessage(type) && type !== "string" && type !== "bytes";
    if (!numeric || wire !== sized) {
      list.push(this.value(name, type, wire, end, list.length));
      return;
    }
    // Packed: numbers that follow one another after one length.
    const inner = this.sizedEnd(name, end);
    while (this.at < inner)
      list.push(this.value(name, type, type === "float" ? fixed32 : varint, inner, list.length));
  }

  private value(name: string, type: Field[1], wire: number, end: number, index?: number): unknown {
    const expected = type === "float" ? fixed32 : type === "int32" || type === "int64" ? varint : sized;
    if (wire !== expected)
      throw this.fault(`${this.where(name, index)} has wire type ${wire}, expected ${expected}`);
    if (expected === varint) return this.integer(name, end);
    if (expected === fixed32) {
      this.need(4, end, name);
      this.at += 4;
      return this.view.getFloat32(this.at - 4, true);
    }
    const inner = this.sizedEnd(name, end);
    if (isMessage(type)) {
      this.path.push(index === undefined ? name : `${name}[${index}]`);
      const message = this.message(type, inner);
      this.path.pop();
      return message;
    }
    const start = this.at;
    this.at = inner;
    return type === "bytes" ? this.bytes.subarray(start, inner) : this.text(name, start, inner);
  }

  private tag(end: number): number {
    const start = this.at;
    const tag = this.low(end);
    if (tag === undefined || tag < 8 || tag > 0xffffffff) {
      this.at = start;
      throw this.fault(`${this.where()} has no field where one should begin`);
    }
    return tag;
  }

  private skip(wire: number, end: number): void {
    if (wire === varint) this.integerParts("a field that is not known", end);
    else if (wire === sized) this.at = this.sizedEnd("a field that is not known", end);
    else if (wire === fixed64 || wire === fixed32) {
      const size = wire === fixed64 ? 8 : 4;
      this.need(size, end, "a field that is not known");
      this.at += size;
    } else throw this.fault(`${this.where()} holds a field of wire type ${wire}, which ONNX has none of`);
  }

  /** Reads the length of the value that comes next; returns the position where the value ends. */
  private sizedEnd(name: string, end: number): number {
    const length = this.low(end);
    if (length === undefined)
      throw this.fault(`the length of ${this.where(name)} is cut off or out of range`);
    this.need(length, end, name);
    return this.at + length;
  }

  private need(count: number, end: number, name: string): void {
    if (count <= end - this.at) return;
    throw this.fault(
      `${this.where(name)} should have ${count} bytes, but ${end - this.at} are left where it is`,
    );
  }

  /** Reads a varint below 2^53; undefined where the number is larger or cut off. */
  private low(end: number): number | undefined {
    let value = 0;
    for (let scale = 1; scale < 2 ** 53 && this.at < end; scale *= 128) {
      const byte = this.bytes[this.at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
    }
    return undefined;
  }

  private integer(name: string, end: number): number {
    const start = this.at;
    const short = this.low(end);
    if (short !== undefined) return short;
    this.at = start;
    const value = Number(BigInt.asIntN(64, this.integerParts(name, end)));
    if (Number.isSafeInteger(value)) return value;
    throw this.fault(`${this.where(name)} is ${value}, but a number is exact up to 2^53 - 1 only`);
  }

  /** Reads a varint of up to ten bytes. */
  private integerParts(name: string, end: number): bigint {
    let value = 0n;
    for (let i = 0; i < 10 && this.at < end; i++) {
      const byte = this.bytes[this.at++] as number;
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return value;
    }
    throw this.fault(`the number in ${this.where(name)} is cut off or longer than 64 bits`);
  }

  private text(name: string, start: number, end: number): string {
    const { bytes } = this;
    if (end - start <= 64) {
      let text = "";
      let at = start;
      while (at < end && (bytes[at] as number) < 0x80) text += String.fromCharCode(bytes[at++] as number);
      if (at === end) return text;
    }
    const text = utf8(bytes.subarray(start, end));
    if (text === undefined) throw this.fault(`${this.where(name)} is not text in UTF-8`);
    return text;
  }

  /** A field's name with those around it: graph.node[3].opType. */
  private where(name?: string, index?: number): string {
    const own = name === undefined ? [] : [index === undefined ? name : `${name}[${index}]`];
    return [...this.path, ...own].join(".") || "the file";
  }

  private fault(what: string): Error {
    return new Error(`this is no ONNX file, or a damaged one: ${what} (near byte ${this.at})`);
  }
}

/** Bytes as text; undefined where they are not UTF-8. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
