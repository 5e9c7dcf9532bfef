// Messages to the bytes of Protocol Buffers, in one pass from the end of the file to its beginning. The format puts a part's
// length before the part; written backwards, the part is finished, and its length known, when the length is due.
//
//     the file:            ... | field number | length | content |
//     order of writing:                3          2         1
import { type Field, fieldsOf, isMessage, type Message, type MessageName } from "./messages.js";

/** The fields of each message, the last one first. */
const backwards = new Map<MessageName, readonly (readonly [string, Field])[]>();

function fieldsBackwards(name: MessageName): readonly (readonly [string, Field])[] {
  const known = backwards.get(name) ?? fieldsOf(name).toReversed();
  backwards.set(name, known);
  return known;
}

/** The bytes of a message as consecutive pieces; large data in the message is a piece itself, without a copy. */
export function encodeMessage<M extends MessageName>(name: M, message: Message<M>): Uint8Array[] {
  const writer = new BackwardWriter();
  writeFields(writer, name, message as Fields);
  return writer.finish();
}

type Fields = Readonly<Record<string, unknown>>;

function writeFields(to: BackwardWriter, name: MessageName, message: Fields): void {
  for (const [field, [id, type, presence]] of fieldsBackwards(name)) {
    const value = message[field];
    if (value === undefined) continue;
    if (presence === "repeated") writeList(to, id, type, value as readonly unknown[]);
    else if (presence === "oneof" || !isDefault(value)) writeField(to, id, type, value);
  }
}

/** Whether this is the value that a reader assumes for an absent field: 0 (not -0), an empty text, no bytes. */
function isDefault(value: unknown): boolean {
  return Object.is(value, 0) || value === "" || (ArrayBuffer.isView(value) && value.byteLength === 0);
}

/** The format's code for what follows a field's number: 0 is a varint, 2 is a length and that number of bytes, 5 is four bytes. */
const wireTypes = { int32: 0, int64: 0, float: 5, string: 2, bytes: 2 } as const;

/** Writes a list: numbers follow one another after one length (packed); of other values each has the field's number. */
function writeList(to: BackwardWriter, id: number, type: Field[1], list: readonly unknown[]): void {
  const numbers = !isMessage(type) && wireTypes[type] !== 2;
  const end = to.length;
  for (let i = list.length - 1; i >= 0; i--) {
    if (numbers) writeNumber(to, type, list[i] as number);
    else writeField(to, id, type, list[i]);
  }
  if (!numbers || list.length === 0) return;
  to.varint(to.length - end);
  to.varint(id * 8 + 2);
}

function writeField(to: BackwardWriter, id: number, type: Field[1], value: unknown): void {
  if (isMessage(type)) {
    const end = to.length;
    writeFields(to, type, value as Fields);
    to.varint(to.length - end);
    to.varint(id * 8 + 2);
    return;
  }
  if (type === "string") to.string(value as string);
  else if (type === "bytes") to.sized(value as Uint8Array);
  else writeNumber(to, type, value as number);
  to.varint(id * 8 + wireTypes[type]);
}

function writeNumber(to: BackwardWriter, type: Field[1], value: number): void {
  if (type === "float") to.float(value);
  else to.integer(value);
}

class BackwardWriter {
  /** Bytes written so far. */
  length = 0;
  /** Finished pieces; the one at the end of the file is the first. */
  private readonly pieces: Uint8Array[] = [];
  private buffer = new Uint8Array(1024);
  /** The position in the buffer of the byte that was written last. */
  private at = this.buffer.length;

  varint(value: number): void {
    let rest = value;
    let count = 1;
    for (let size = value; size > 0x7f; size = Math.floor(size / 128)) count++;
    let at = this.room(count);
    for (; count > 1; count--) {
      this.buffer[at++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.buffer[at] = rest;
  }

  /** Writes a signed integer; a negative one takes ten bytes, as 64 bits in two's complement. */
  integer(value: number): void {
    if (!Number.isSafeInteger(value))
      throw new RangeError(
        `${String(value)} cannot be written as an integer: expected a whole number up to 2^53 - 1 either way`,
      );
    if (value >= 0) {
      this.varint(value);
      return;
    }
    const at = this.room(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (let i = 0; i < 10; i++) {
      this.buffer[at + i] = Number(rest & 0x7fn) | (i < 9 ? 0x80 : 0);
      rest >>= 7n;
    }
  }

  float(value: number): void {
    const at = this.room(4);
    new DataView(this.buffer.buffer).setFloat32(at, value, true);
  }

  string(text: string): void {
    const start = this.length;
    if (!this.ascii(text)) this.copy(new TextEncoder().encode(text));
    this.varint(this.length - start);
  }

  sized(bytes: Uint8Array): void {
    if (bytes.length < 4096) this.copy(bytes);
    else {
      this.endPiece();
      this.pieces.push(bytes);
      this.length += bytes.length;
    }
    this.varint(bytes.length);
  }

  finish(): Uint8Array[] {
    this.endPiece();
    return this.pieces.reverse();
  }

  private copy(bytes: Uint8Array): void {
    const at = this.room(bytes.length);
    this.buffer.set(bytes, at);
  }

  /** Writes a short text whose characters are one byte each; false, and nothing written, for any other. */
  private ascii(text: string): boolean {
    const { length } = text;
    if (length > 256) return false;
    for (let i = 0; i < length; i++) if (text.charCodeAt(i) > 0x7f) return false;
    const at = this.room(length);
    for (let i = 0; i < length; i++) this.buffer[at + i] = text.charCodeAt(i);
    return true;
  }

  /** Takes `count` bytes before those that are written; returns the position where they begin. */
  private room(count: number): number {
    if (this.at < count) {
      const size = Math.max(count, Math.min(2 * this.buffer.length, 2 ** 20));
      this.endPiece();
      this.buffer = new Uint8Array(size);
      this.at = size;
    }
    this.at -= count;
    this.length += count;
    return this.at;
  }

  private endPiece(): void {
    if (this.at < this.buffer.length) this.pieces.push(this.buffer.subarray(this.at));
    this.buffer = this.buffer.subarray(0, this.at);
  }
}
