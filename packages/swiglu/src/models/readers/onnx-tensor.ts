// One tensor of an ONNX file: the fields of its message, and its numbers where it is a constant of a formula.
import { type FormatName, formatOf } from "../formats/table.js";
import { fieldsOf, numbersOf, type ProtoField, textOf } from "./protobuf.js";

/** Elements of a tensor that counts as a constant, at most. */
export const constantElements = 64;

/** TensorProto's numbers of types. */
export const types: ReadonlyMap<number, FormatName> = new Map<number, FormatName>([
  [1, "F32"],
  [2, "U8"],
  [3, "I8"],
  [4, "U16"],
  [5, "I16"],
  [6, "I32"],
  [7, "I64"],
  [9, "BOOL"],
  [10, "F16"],
  [11, "F64"],
  [12, "U32"],
  [13, "U64"],
  [16, "BF16"],
  [17, "F8_E4M3"],
  [18, "F8_E4M3FNUZ"],
  [19, "F8_E5M2"],
  [20, "F8_E5M2FNUZ"],
]);

/** What a TensorProto says, and where its data lies. */
export interface Stored {
  name: string;
  dims: number[];
  type: number;
  raw?: { readonly offset: number; readonly length: number };
  typed?: { readonly offset: number; readonly length: number };
  data?: Uint8Array;
  ints: number[];
  floats: number[];
  external: [string, string][];
}

/** Appends numbers: a loop, since a spread of a million arguments overflows the stack. */
export function append(list: number[], numbers: readonly number[]): void {
  for (const value of numbers) list.push(value);
}

export const newTensor = (): Stored => ({ dims: [], type: 0, name: "", external: [], floats: [], ints: [] });

/** Takes one field of a TensorProto in; `bytes` where they are at hand. */
export function readTensorField(
  file: string,
  tensor: Stored,
  field: ProtoField,
  bytes: Uint8Array | undefined,
): void {
  if (field.id === 1) append(tensor.dims, numbersOf(field));
  else if (field.id === 2) tensor.type = field.value;
  else if (field.id === 8) tensor.name = textOf(field);
  else if (field.id === 9 && bytes !== undefined) tensor.data = bytes.slice();
  else if (field.id === 4) {
    const view = new DataView(field.bytes.buffer, field.bytes.byteOffset, field.bytes.byteLength);
    for (let i = 0; i + 4 <= field.bytes.length; i += 4) tensor.floats.push(view.getFloat32(i, true));
  } else if (field.id === 5 || field.id === 7) tensor.ints = [...(tensor.ints ?? []), ...numbersOf(field)];
  else if (field.id === 13) {
    const [key, value] = ["", ""].map((_, i) => {
      for (const part of fieldsOf(file, field.bytes)) if (part.id === i + 1) return textOf(part);
      return "";
    });
    tensor.external.push([key as string, value as string]);
  }
}

/** The numbers of a tensor that is small enough to be a constant of a formula. */
export function constantOf({
  dims,
  type,
  data,
  floats,
  ints,
  external,
}: Stored): readonly number[] | undefined {
  const count = dims.reduce((product, size) => product * size, 1);
  if (count > constantElements || count < 1 || external.length > 0) return undefined;
  const format = types.get(type);
  if (floats.length === count) return floats;
  if (ints.length === count && format !== "F16" && format !== "BF16") return ints;
  if (format === undefined || data === undefined) return undefined;
  const { bytes, decode } = formatOf(format);
  if (data.length !== count * bytes) return undefined;
  if (decode !== undefined) {
    const numbers = new Float32Array(count);
    decode(data, count, numbers);
    return [...numbers];
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (format === "I64") return Array.from({ length: count }, (_, i) => Number(view.getBigInt64(8 * i, true)));
  if (format === "I32") return Array.from({ length: count }, (_, i) => view.getInt32(4 * i, true));
  return undefined;
}
