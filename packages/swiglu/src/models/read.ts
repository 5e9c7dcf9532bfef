// The numbers of a tensor, whole or a run of its outermost rows, as float32.
import { type ByteSource, ModelFileError } from "./files/bytes.js";
import { formatOf } from "./formats/table.js";
import type { TensorInfo } from "./tensor.js";

/** How many bytes are fetched at a time. */
const pieceBytes = 8_388_608;
/** The most numbers that one call returns: 4 GiB of float32. */
const mostElements = 2 ** 30;

/** A run of a tensor's outermost axis: from `start`, `count` of them. */
export interface Rows {
  readonly start: number;
  readonly count: number;
}

/** Where the bytes of a run of rows lie, and what one holds. Throws a ModelFileError or RangeError. */
function placeOf(tensor: TensorInfo, rows: Rows | undefined) {
  const { name, shape, format, type, file } = tensor;
  const axis = shape[0] ?? 1;
  const { start, count } = rows ?? { start: 0, count: axis };
  if (
    !Number.isSafeInteger(start) ||
    !Number.isSafeInteger(count) ||
    start < 0 ||
    count < 0 ||
    start + count > axis
  )
    throw new RangeError(`rows ${start} to ${start + count} are not among the ${axis} of ${name}`);
  if (format === undefined)
    throw new ModelFileError(`${file}: ${name} is stored as ${type}, which is unknown and not read`);
  const block = formatOf(format);
  const perRow = shape.slice(1).reduce((product, size) => product * size, 1);
  if ((start * perRow) % block.elements !== 0 || (count * perRow) % block.elements !== 0)
    throw new RangeError(
      `${name} is ${format} in blocks of ${block.elements}: its rows of ${perRow} are not read apart`,
    );
  const blocks = (count * perRow) / block.elements;
  return {
    block,
    blocks,
    elements: count * perRow,
    from: tensor.offset + ((start * perRow) / block.elements) * block.bytes,
  };
}

/**
 * Reads a tensor, or some of its outermost rows, as float32: bit for bit what the format's reference gives. Throws a
 * ModelFileError for a format that is named but not read, a RangeError for rows that it does not have.
 */
export async function readNumbers(
  source: ByteSource,
  tensor: TensorInfo,
  rows?: Rows,
): Promise<Float32Array> {
  const { block, blocks, elements, from } = placeOf(tensor, rows);
  const { name, file, format } = tensor;
  if (block.decode === undefined)
    throw new ModelFileError(
      `${file}: ${name} is stored as ${format}, which is recognised but not read as numbers`,
    );
  if (elements > mostElements)
    throw new RangeError(`${name} has ${elements} numbers, more than are read at once: pass rows`);
  const out = new Float32Array(elements);
  const step = Math.max(1, Math.floor(pieceBytes / block.bytes));
  for (let b = 0; b < blocks; b += step) {
    const count = Math.min(step, blocks - b);
    const bytes = await source.read(from + b * block.bytes, count * block.bytes);
    block.decode(bytes, count, out.subarray(b * block.elements, (b + count) * block.elements));
  }
  return out;
}

/** The stored bytes of a tensor, or of some of its outermost rows. Throws as `readNumbers` does. */
export async function readRaw(source: ByteSource, tensor: TensorInfo, rows?: Rows): Promise<Uint8Array> {
  const { block, blocks, from } = placeOf(tensor, rows);
  return source.read(from, blocks * block.bytes);
}
