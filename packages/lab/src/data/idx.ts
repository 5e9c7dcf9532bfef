// IDX, the file format of MNIST and its relatives: a big-endian header (magic, one size per dimension), then bytes.
// Reading is strict: anything that does not add up is an error, for a wrong file trains without complaint and learns nothing.
import { gunzipSync } from "node:zlib";
import { messageOf, UserError } from "../errors.js";

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
  const data = inflate(bytes, file);
  const [count = 0, rows = 0, columns = 0] = header(data, file, "images", IMAGES_MAGIC, 3);
  return { count, rows, columns, pixels: body(data, file, 16, [count, rows, columns]) };
}

/** Reads an IDX file of labels (magic 0x801), plain or gzipped: one byte per image. Errors as `parseIdxImages`. */
export function parseIdxLabels(bytes: Uint8Array, file: string): Uint8Array {
  const data = inflate(bytes, file);
  const [count = 0] = header(data, file, "labels", LABELS_MAGIC, 1);
  return body(data, file, 8, [count]);
}

function inflate(bytes: Uint8Array, file: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (thrown) {
    throw new UserError(`${file} is a damaged gzip file (${messageOf(thrown)}): copy or download it again.`);
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
