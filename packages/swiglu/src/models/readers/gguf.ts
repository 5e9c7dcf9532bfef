// The header of a GGUF file, versions 1 to 3 of either byte order: metadata under keys, then each tensor's name, shape, type, place.
// Sources: ggml's description of the format; limits as in @huggingface/gguf, beside the file's own size.
import { type ByteSource, ModelFileError } from "../files/bytes.js";
import { ggufTypes } from "../formats/table.js";
import { caps, countOf, measure, type TensorInfo } from "../tensor.js";
import { Cursor } from "./cursor.js";

/** A value of GGUF's metadata; long arrays (a tokenizer's) are counted and not kept. */
export type MetadataValue =
  | number
  | boolean
  | string
  | readonly MetadataValue[]
  | { readonly type: string; readonly length: number };

export interface GgufHeader {
  readonly version: number;
  readonly littleEndian: boolean;
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: readonly TensorInfo[];
}

/** Arrays up to this length are kept. */
const keptElements = 16_384;
const keptStrings = 1024;

/** How a kind of value is read; `bytes` is its least size in the file. */
interface ValueKind {
  readonly name: string;
  readonly bytes: number;
  readonly take?: (cursor: Cursor) => number | boolean;
}
const stringKind = 8;
const arrayKind = 9;
const kinds: readonly ValueKind[] = [
  { name: "u8", bytes: 1, take: (cursor) => cursor.u8() },
  { name: "i8", bytes: 1, take: (cursor) => cursor.i8() },
  { name: "u16", bytes: 2, take: (cursor) => cursor.u16() },
  { name: "i16", bytes: 2, take: (cursor) => cursor.i16() },
  { name: "u32", bytes: 4, take: (cursor) => cursor.u32() },
  { name: "i32", bytes: 4, take: (cursor) => cursor.i32() },
  { name: "f32", bytes: 4, take: (cursor) => cursor.f32() },
  { name: "bool", bytes: 1, take: (cursor) => cursor.u8() !== 0 },
  { name: "string", bytes: 4 },
  { name: "array", bytes: 8 },
  { name: "u64", bytes: 8, take: (cursor) => cursor.u64() },
  { name: "i64", bytes: 8, take: (cursor) => cursor.i64() },
  { name: "f64", bytes: 8, take: (cursor) => cursor.f64() },
];

/** Whether a file begins as GGUF does. */
export const isGguf = (start: Uint8Array): boolean =>
  start[0] === 0x47 && start[1] === 0x47 && start[2] === 0x55 && start[3] === 0x46;

/** Reads and checks a header. Throws a ModelFileError that names what is wrong. */
export const readGguf = (source: ByteSource): Promise<GgufHeader> => new GgufReader(source).read();

class GgufReader {
  readonly #source: ByteSource;
  readonly #cursor: Cursor;
  /** Version 1 has lengths and counts of 32 bits. */
  #wide = true;

  constructor(source: ByteSource) {
    this.#source = source;
    this.#cursor = new Cursor(source, caps.headerBytes);
  }

  async read(): Promise<GgufHeader> {
    const cursor = this.#cursor;
    const file = this.#source.name;
    await cursor.need(8, "a GGUF header");
    cursor.skip(4);
    const version = this.#version(cursor.u32());
    this.#wide = version > 1;
    const tensorCount = await this.#count("the number of tensors", caps.tensors, this.#wide ? 24 : 16);
    const keyCount = await this.#count("the number of keys", caps.keys, this.#wide ? 13 : 9);
    const metadata = new Map<string, MetadataValue>();
    for (let i = 0; i < keyCount; i++) {
      const key = await this.#string("a key");
      await cursor.need(4, key);
      const value = await this.#value(cursor.u32(), key, 0);
      if (metadata.has(key)) throw new ModelFileError(`${file}: ${key} is given twice`);
      metadata.set(key, value);
    }
    const alignment = metadata.get("general.alignment") ?? 32;
    if (
      typeof alignment !== "number" ||
      !(alignment >= 1 && alignment <= 65_536) ||
      (alignment & (alignment - 1)) !== 0
    )
      throw new ModelFileError(`${file}: general.alignment is ${String(alignment)}, expected a power of two`);
    const listed: Listed[] = [];
    for (let i = 0; i < tensorCount; i++) listed.push(await this.#tensor());
    const dataStart = Math.ceil(cursor.position / alignment) * alignment;
    const tensors = listed.map((tensor) => this.#place(tensor, dataStart, alignment));
    this.#checkPlaces(tensors);
    return { version, littleEndian: cursor.littleEndian, metadata, tensors };
  }

  #version(read: number): number {
    let version = read;
    if ((read & 0xffff) === 0 && read !== 0) {
      this.#cursor.littleEndian = false;
      version = (read >>> 24) | ((read >>> 8) & 0xff00);
    }
    if (version < 1 || version > 3)
      throw new ModelFileError(
        `${this.#source.name}: GGUF version ${version} is unknown: 1, 2 and 3 are read`,
      );
    return version;
  }

  #fail(what: string): never {
    throw new ModelFileError(`${this.#source.name}: ${what}`);
  }

  async #length(what: string): Promise<number> {
    const bytes = this.#wide ? 8 : 4;
    if (!this.#cursor.has(bytes)) await this.#cursor.need(bytes, what);
    return this.#wide ? this.#cursor.u64() : this.#cursor.u32();
  }

  /** A count whose elements take at least `bytes` each of what is left in the file. */
  async #count(what: string, cap: number, bytes: number): Promise<number> {
    const count = await this.#length(what);
    if (count > cap) this.#fail(`${what} is ${count}, more than the ${cap} that are read`);
    if (count * bytes > this.#cursor.left)
      this.#fail(`${what} is ${count}, more than the ${this.#cursor.left} bytes that are left could hold`);
    return count;
  }

  async #string(what: string): Promise<string> {
    const length = await this.#stringLength(what);
    if (!this.#cursor.has(length)) await this.#cursor.need(length, what);
    return this.#cursor.text(length);
  }

  async #stringLength(what: string): Promise<number> {
    const length = await this.#length(what);
    if (length > caps.stringBytes)
      this.#fail(`${what} has ${length} bytes, more than the ${caps.stringBytes} that are read`);
    return length;
  }

  async #value(kind: number, key: string, depth: number): Promise<MetadataValue> {
    if (kind === stringKind) return this.#string(key);
    if (kind === arrayKind) return this.#array(key, depth);
    const { take, bytes } = this.#kind(kind, key);
    await this.#cursor.need(bytes, key);
    return (take as NonNullable<typeof take>)(this.#cursor);
  }

  #kind(kind: number, key: string): ValueKind {
    return kinds[kind] ?? this.#fail(`${key} has a value of kind ${kind}, which is unknown`);
  }

  async #array(key: string, depth: number): Promise<MetadataValue> {
    if (depth >= caps.nesting) this.#fail(`${key} is an array nested deeper than ${caps.nesting}`);
    const cursor = this.#cursor;
    await cursor.need(4, key);
    const kind = cursor.u32();
    const { name, bytes, take } = this.#kind(kind, key);
    const length = await this.#count(
      `the length of ${key}`,
      caps.arrayElements,
      kind === stringKind && this.#wide ? 8 : bytes,
    );
    const keep = length <= (take === undefined ? keptStrings : keptElements);
    if (take !== undefined && !keep) {
      await this.#skip(length * bytes, key);
      return { type: name, length };
    }
    if (kind === stringKind && !keep) {
      for (let i = 0; i < length; i++) await this.#skip(await this.#stringLength(key), key);
      return { type: name, length };
    }
    if (!keep) this.#fail(`${key} has ${length} arrays inside, at most ${keptStrings} are read`);
    const values: MetadataValue[] = [];
    for (let i = 0; i < length; i++) values.push(await this.#value(kind, key, depth + 1));
    return values;
  }

  async #skip(length: number, what: string): Promise<void> {
    if (!this.#cursor.has(length)) await this.#cursor.need(length, what);
    this.#cursor.skip(length);
  }

  async #tensor(): Promise<Listed> {
    const name = await this.#string("a tensor's name");
    const cursor = this.#cursor;
    await cursor.need(4, name);
    const axes = cursor.u32();
    if (axes > caps.dimensions) this.#fail(`${name} has ${axes} axes, at most ${caps.dimensions} are read`);
    const shape: number[] = [];
    // The file keeps the innermost axis first.
    for (let i = 0; i < axes; i++) shape.unshift(await this.#length(name));
    await cursor.need(12, name);
    return { name, shape, type: cursor.u32(), at: cursor.u64() };
  }

  #place({ name, shape, type, at }: Listed, dataStart: number, alignment: number): TensorInfo {
    const { name: file, size } = this.#source;
    if (!Number.isSafeInteger(at) || at % alignment !== 0)
      this.#fail(`${name} begins at ${at} of the data, which is no multiple of ${alignment}`);
    const format = ggufTypes.get(type);
    const offset = dataStart + at;
    const base = { name, shape, file, offset };
    if (format === undefined) {
      countOf(file, name, shape);
      if (offset > size) this.#fail(`${name} begins at byte ${offset}, but the file has ${size}`);
      return { ...base, format, type: `type ${type}`, bytes: 0 };
    }
    const { bytes } = measure(file, name, shape, format);
    if (offset + bytes > size)
      this.#fail(
        `${name} is ${format} of shape [${shape.join(", ")}] and ends at byte ${offset + bytes}, but the file has ${size}: it is cut short or damaged`,
      );
    return { ...base, format, type: format, bytes };
  }

  #checkPlaces(tensors: readonly TensorInfo[]): void {
    const names = new Set<string>();
    for (const { name } of tensors) {
      if (names.has(name)) this.#fail(`${name} is listed twice`);
      names.add(name);
    }
    let end = 0;
    for (const { name, offset, bytes } of [...tensors].sort(
      (a, b) => a.offset - b.offset || a.bytes - b.bytes,
    )) {
      if (offset < end) this.#fail(`${name} begins at byte ${offset}, inside the tensor before it`);
      end = offset + bytes;
    }
  }
}

interface Listed {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly at: number;
}
