// What a header says of one tensor, and the checks on it that all readers share.
import { ModelFileError } from "./files/bytes.js";
import { type FormatName, formatOf } from "./formats/table.js";

/** One tensor of a model file; its numbers stay in the file until they are asked for. */
export interface TensorInfo {
  readonly name: string;
  /** Row-major, the outermost axis first, whatever order the file keeps. */
  readonly shape: readonly number[];
  /** How the numbers are stored; undefined for a marker that this library does not know. */
  readonly format: FormatName | undefined;
  /** The format as the file marks it, such as "Q4_K" or "type 57". */
  readonly type: string;
  /** The file it lies in, the place there, and how many bytes; 0 bytes where the format is unknown. */
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** Caps on what a header may hold, beside the file's own size. */
export const caps = {
  /** Bytes of a safetensors header. */
  jsonBytes: 25_000_000,
  /** Bytes of a GGUF header. */
  headerBytes: 50_000_000,
  tensors: 1_000_000,
  keys: 100_000,
  arrayElements: 1_000_000,
  stringBytes: 10_000_000,
  dimensions: 8,
  nesting: 4,
} as const;

/**
 * The number of elements of a shape and the bytes they take. Throws a ModelFileError for sizes beyond 2^53, and for a row
 * that is no whole number of blocks.
 */
export function measure(
  file: string,
  name: string,
  shape: readonly number[],
  format: FormatName,
): { elements: number; bytes: number } {
  const elements = countOf(file, name, shape);
  const block = formatOf(format);
  const row = shape.at(-1) ?? 1;
  // Formats below a byte count over the whole tensor; blocks of quantised ones lie within rows.
  const unit = block.elements >= 32 ? row : elements;
  if (unit % block.elements !== 0)
    throw new ModelFileError(
      `${file}: ${name} is ${format} with rows of ${unit}, which is no multiple of ${block.elements}`,
    );
  const bytes = (elements / block.elements) * block.bytes;
  if (!Number.isSafeInteger(bytes))
    throw new ModelFileError(`${file}: ${name} has shape [${shape.join(", ")}], more than any file holds`);
  return { elements, bytes };
}

/** The number of elements of a shape. Throws a ModelFileError for sizes that are no whole numbers, or too many. */
export function countOf(file: string, name: string, shape: readonly number[]): number {
  if (shape.length > caps.dimensions)
    throw new ModelFileError(
      `${file}: ${name} has ${shape.length} axes, at most ${caps.dimensions} are read`,
    );
  let elements = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw new ModelFileError(`${file}: ${name} has an axis of ${size}, expected a whole number`);
    elements *= size;
  }
  if (!Number.isSafeInteger(elements))
    throw new ModelFileError(`${file}: ${name} has shape [${shape.join(", ")}], more than any file holds`);
  return elements;
}

/** Adds tensors of one file to those of the whole model. Throws a ModelFileError where two have one name. */
export function addTensors(all: Map<string, TensorInfo>, tensors: Iterable<TensorInfo>): void {
  for (const tensor of tensors) {
    const other = all.get(tensor.name);
    if (other !== undefined)
      throw new ModelFileError(`${tensor.name} is in ${other.file} and again in ${tensor.file}`);
    if (all.size >= caps.tensors)
      throw new ModelFileError(`${tensor.file}: more than ${caps.tensors} tensors, which no model has`);
    all.set(tensor.name, tensor);
  }
}
