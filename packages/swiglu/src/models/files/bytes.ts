// Bytes of known size that are read in pieces, wherever they lie; and what goes wrong with a model file, as a sentence.
// In-memory bytes and a browser's Blob are here; files on disk and on the web have a file each.

/** What a model file does wrong, as a sentence that names the file. Thrown by everything that reads one. */
export class ModelFileError extends Error {
  override readonly name = "ModelFileError";
}

/** Bytes of known size, read in pieces. */
export interface ByteSource {
  /** The file's name, for messages. */
  readonly name: string;
  readonly size: number;
  /** How many bytes opening it took. */
  readonly fetched?: number;
  /** The bytes from `offset`; a ModelFileError where they would run past the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The files of one model: the one that was asked for, and its neighbours. */
export interface Files {
  /** The file that was named; undefined for a folder or a list of files. */
  readonly main: string | undefined;
  /** The names of all files, where they can be listed: not on the web. */
  readonly names: readonly string[] | undefined;
  /** Opens a file by its name; undefined where there is none. */
  open(name: string): Promise<ByteSource | undefined>;
}

/** Throws a ModelFileError unless `length` bytes from `offset` lie inside the source. */
export function checkRange({ name, size }: ByteSource, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0)
    throw new ModelFileError(`${name}: bytes ${offset} to ${offset + length} are no range of a file`);
  if (offset + length > size)
    throw new ModelFileError(
      `${name} ends after ${size} bytes, but bytes ${offset} to ${offset + length} were expected: the file is cut short or damaged`,
    );
}

/** Bytes in memory, of any realm. */
export function bytesSource(name: string, given: Uint8Array): ByteSource {
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.length);
  const source: ByteSource = {
    name,
    size: bytes.length,
    async read(offset, length) {
      checkRange(source, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    async close() {},
  };
  return source;
}

/** A browser's File or Blob; only what is asked for is read. */
export function blobSource(name: string, blob: Blob): ByteSource {
  const source: ByteSource = {
    name,
    size: blob.size,
    async read(offset, length) {
      checkRange(source, offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
    async close() {},
  };
  return source;
}
