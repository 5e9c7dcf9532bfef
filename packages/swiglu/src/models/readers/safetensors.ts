// The header of a safetensors file: eight bytes of length, then JSON with each tensor's type, shape and place.
// Sources: the format's own rules (safetensors 0.8): no holes, no overlaps, no key twice.
import { type ByteSource, ModelFileError } from "../files/bytes.js";
import { isFormat } from "../formats/table.js";
import { caps, countOf, measure, type TensorInfo } from "../tensor.js";
import { isObject, type JsonObject, parseObject } from "./json.js";

export interface SafetensorsHeader {
  readonly tensors: readonly TensorInfo[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** Whether a file begins as safetensors do: a length, then the opening brace of its JSON. */
export const isSafetensors = (start: Uint8Array): boolean => start.length > 8 && start[8] === 0x7b;

/** Reads and checks a header. Throws a ModelFileError that names what is wrong. */
export async function readSafetensors(source: ByteSource): Promise<SafetensorsHeader> {
  const { name: file, size } = source;
  if (size < 10) throw new ModelFileError(`${file} has ${size} bytes, too few for a safetensors header`);
  const start = await source.read(0, 8);
  const length = Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
  if (length > size - 8)
    throw new ModelFileError(
      `${file}: its header is said to have ${length} bytes, but the file has ${size}: it is cut short, or no safetensors file`,
    );
  if (length > caps.jsonBytes)
    throw new ModelFileError(`${file}: its header has ${length} bytes, at most ${caps.jsonBytes} are read`);
  const bytes = await source.read(8, length);
  if (bytes[0] !== 0x7b) throw new ModelFileError(`${file}: its header does not begin with a brace`);
  const header = parseObject(file, bytes);
  const metadata = new Map<string, string>();
  const tensors: TensorInfo[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.push(tensorOf(file, name, value, 8 + length));
    else {
      if (!isObject(value)) throw new ModelFileError(`${file}: __metadata__ is no object`);
      for (const [key, entry] of Object.entries(value)) {
        if (typeof entry !== "string") throw new ModelFileError(`${file}: __metadata__.${key} is no string`);
        metadata.set(key, entry);
      }
    }
  }
  checkCover(file, tensors, 8 + length, size);
  return { tensors, metadata };
}

function tensorOf(file: string, name: string, value: unknown, dataStart: number): TensorInfo {
  const { dtype, shape, offsets } = fieldsOf(file, name, value);
  const [from, to] = offsets as [number, number];
  const base = { name, shape, type: dtype, file, offset: dataStart + from, bytes: to - from };
  if (!isFormat(dtype)) {
    countOf(file, name, shape);
    return { ...base, format: undefined };
  }
  const { bytes } = measure(file, name, shape, dtype);
  if (bytes !== to - from)
    throw new ModelFileError(
      `${file}: ${name} is ${dtype} of shape [${shape.join(", ")}], which takes ${bytes} bytes, but has ${to - from}`,
    );
  return { ...base, format: dtype };
}

function fieldsOf(file: string, name: string, value: unknown) {
  const { dtype, shape, data_offsets: offsets } = (isObject(value) ? value : {}) as JsonObject;
  if (typeof dtype !== "string" || !isSizes(shape) || !isSizes(offsets))
    throw new ModelFileError(`${file}: ${name} lacks a proper dtype, shape or data_offsets`);
  if (offsets.length !== 2 || (offsets[0] as number) > (offsets[1] as number))
    throw new ModelFileError(`${file}: ${name} lies at [${offsets.join(", ")}], expected a start and an end`);
  return { dtype, shape, offsets };
}

const isSizes = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);

/** Throws a ModelFileError unless the tensors cover the data exactly. */
function checkCover(file: string, tensors: readonly TensorInfo[], start: number, end: number): void {
  const ordered = [...tensors].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let at = start;
  for (const { name, offset, bytes } of ordered) {
    if (offset !== at)
      throw new ModelFileError(
        `${file}: ${name} begins at byte ${offset}, ${offset < at ? "inside the tensor before it" : "after a hole"} (expected ${at})`,
      );
    at += bytes;
  }
  if (at > end)
    throw new ModelFileError(`${file} has ${end} bytes, but its tensors end at ${at}: it is cut short`);
  if (at < end) throw new ModelFileError(`${file} has ${end - at} bytes after its last tensor`);
}
