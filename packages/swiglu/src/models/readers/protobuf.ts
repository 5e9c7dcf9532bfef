// Fields of Protocol Buffers as they lie in bytes: numbers, and runs of bytes that are messages, texts or data.
import { ModelFileError } from "../files/bytes.js";

/** One field of a message: its number, and its value as a number or as bytes. */
export interface ProtoField {
  readonly id: number;
  readonly wire: number;
  /** For wire types 0, 1 and 5: the value's low bits as an unsigned number, exact below 2^53. */
  readonly value: number;
  /** For wire type 2. */
  readonly bytes: Uint8Array;
}

const nothing = new Uint8Array(0);

/** A varint of up to ten bytes: its value (signed, exact within 2^53) and the place after it; undefined where it is cut off. */
export function varint(bytes: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 10 && start + i < bytes.length; i++) {
    const byte = bytes[start + i] as number;
    value += (byte & 0x7f) * 2 ** (7 * i);
    // Ten bytes are a negative number in two's complement.
    if (byte < 0x80) return { value: i === 9 ? value - 2 ** 64 : value, end: start + i + 1 };
  }
  return undefined;
}

/** The fields of a message. Throws a ModelFileError where one runs past the end or has an unknown wire type. */
export function* fieldsOf(file: string, bytes: Uint8Array): Generator<ProtoField> {
  const fail = (what: string): never => {
    throw new ModelFileError(`${file}: ${what}: it is damaged, or no ONNX file`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const tag = varint(bytes, at) ?? fail("a field's tag is cut off");
    const [id, wire] = [Math.floor(tag.value / 8), tag.value % 8];
    if (id < 1) fail(`a field has number ${id}`);
    at = tag.end;
    if (wire === 0) {
      const { value, end } = varint(bytes, at) ?? fail(`field ${id} is cut off`);
      yield { id, wire, value, bytes: nothing };
      at = end;
    } else if (wire === 2) {
      const length = varint(bytes, at) ?? fail(`field ${id} is cut off`);
      if (!(length.value >= 0 && length.end + length.value <= bytes.length))
        fail(`field ${id} would have ${length.value} bytes, but ${bytes.length - length.end} are left`);
      at = length.end + length.value;
      yield { id, wire, value: 0, bytes: bytes.subarray(length.end, at) };
    } else if (wire === 1 || wire === 5) {
      const size = wire === 1 ? 8 : 4;
      if (at + size > bytes.length) fail(`field ${id} is cut off`);
      yield { id, wire, value: view.getUint32(at, true), bytes: bytes.subarray(at, at + size) };
      at += size;
    } else fail(`field ${id} has wire type ${wire}, which is unknown`);
  }
}

const decoder = new TextDecoder();
export const textOf = ({ bytes }: ProtoField): string => decoder.decode(bytes);

/** A float of wire type 5. */
export const floatOf = ({ bytes }: ProtoField): number =>
  bytes.length < 4 ? Number.NaN : new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);

/** Numbers of a repeated field: one, or several packed. */
export function numbersOf(field: ProtoField): number[] {
  if (field.wire !== 2) return [field.value];
  const values: number[] = [];
  for (let at = 0; at < field.bytes.length; ) {
    const next = varint(field.bytes, at);
    if (next === undefined) break;
    values.push(next.value);
    at = next.end;
  }
  return values;
}
