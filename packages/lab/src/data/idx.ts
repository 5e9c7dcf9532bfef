// IDX, the file format of MNIST and its relatives: a big-endian header (magic, one size per dimension), then bytes.
// Reading is strict: anything that does not add up is an error, for a wrong file trains without complaint and learns nothing.
import { constants, gunzipSync } from "node:zlib";
import { codeOf, messageOf, UserError } from "../system/errors.js";

const IMAGES_MAGIC = 0x803; // unsigned bytes, three dimensions
const LABELS_MAGIC = 0x801; // unsigned bytes, one dimension

export interface IdxImages {
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  /** [count, rows, columns], row-major, 0 to 255. */
  readonly pixels: Uint8Array;
}

/**
 * Reads an IDX file of images (magic 0x803), plain or gzipped.
 *
 * @param bytes the whole file
 * @param file its name, for error messages
 * @throws UserError when the gzip data, the magic number, the sizes or the length are wrong
 */
export function parseIdxImages(bytes: Uint8Array, file: string): IdxImages {
  const { sizes, body } = parse(bytes, file, "images", IMAGES_MAGIC, 3);
  const [count = 0, rows = 0, columns = 0] = sizes;
  return { count, rows, columns, pixels: body };
}

/** Reads an IDX file of labels (magic 0x801), plain or gzipped: one byte per image. Errors as `parseIdxImages`. */
export function parseIdxLabels(bytes: Uint8Array, file: string): Uint8Array {
  return parse(bytes, file, "labels", LABELS_MAGIC, 1).body;
}

/** Reads a file of `dimensions` dimensions. A gzipped file is inflated only as far as its header says that it goes. */
function parse(
  bytes: Uint8Array,
  file: string,
  what: string,
  magic: number,
  dimensions: number,
): { sizes: readonly number[]; body: Uint8Array } {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const start = 4 + 4 * dimensions;
  const first = isGzip ? inflateStart(bytes, file, start) : bytes;
  const sizes = header(first, file, what, magic, dimensions);
  const length = start + sizes.reduce((product, size) => product * size, 1);
  if (isGzip && length > MOST_BYTES)
    throw new UserError(
      `${file} is too large: its header promises ${sizes.join(" x ")} bytes, at most ${MOST_BYTES} are read.`,
    );
  const data = isGzip ? inflate(bytes, file, length) : bytes;
  return { sizes, body: body(data, file, start, sizes) };
}

/** The most bytes that Node has in one piece. */
const MOST_BYTES = 2 ** 31 - 1;

/** Compressed bytes in which the header of a file is, whatever name and comment gzip has put before. */
const START = 2 ** 16;

/** The first bytes of a gzipped file; all of them, inflated, where there are fewer. */
function inflateStart(bytes: Uint8Array, file: string, length: number): Uint8Array {
  for (let taken = 64; taken <= START && taken < bytes.length; taken *= 2) {
    try {
      const start = gunzipSync(bytes.subarray(0, taken), { finishFlush: constants.Z_SYNC_FLUSH });
      if (start.length >= length) return start;
    } catch {
      break; // what is wrong with it is found in the whole
    }
  }
  return inflate(bytes, file, 2 ** 20);
}

/** A gzipped file; where it is longer than `most` bytes, that much is all that is inflated before it is refused. */
function inflate(bytes: Uint8Array, file: string, most: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: most });
  } catch (thrown) {
    throw new UserError(
      codeOf(thrown) === "ERR_BUFFER_TOO_LARGE"
        ? `${file} is too long: its header promises ${most} bytes, but more follow.`
        : `${file} is a damaged gzip file (${messageOf(thrown)}): copy or download it again.`,
    );
  }
}

function header(data: Uint8Array, file: string, what: string, magic: number, dimensions: number): number[] {
  const length = 4 + 4 * dimensions;
  if (data.length < length) {
    throw new UserError(
      `${file} is truncated: the header of an IDX file of ${what} has ${length} bytes, the file has ${data.length}.`,
    );
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const found = view.getUint32(0);
  if (found !== magic) {
    throw new UserError(
      `${file} is not an IDX file of ${what}: its magic number is ${hex(found)}, expected ${hex(magic)}.`,
    );
  }
  const sizes = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  if (sizes.includes(0)) {
    throw new UserError(
      `${file} is empty: its header says ${sizes.join(" x ")}, every size must be at least 1.`,
    );
  }
  return sizes;
}

function body(data: Uint8Array, file: string, start: number, sizes: readonly number[]): Uint8Array {
  const expected = start + sizes.reduce((product, size) => product * size, 1);
  if (data.length < expected) {
    throw new UserError(
      `${file} is truncated: its header promises ${sizes.join(" x ")} bytes of data, ${expected} with the header, ` +
        `but it has ${data.length}.`,
    );
  }
  if (data.length > expected) {
    throw new UserError(
      `${file} is too long: its header promises ${expected} bytes, but ${data.length - expected} more follow.`,
    );
  }
  return data.subarray(start);
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
