// A place in a file that moves forward through its header: numbers and strings, fetched in growing pieces, never past the end.
import { type ByteSource, ModelFileError } from "../files/bytes.js";

const firstPiece = 65_536;
const largestPiece = 4_194_304;

/** Reads a header from its start. `need` fetches; the other calls take what it has made sure of. */
export class Cursor {
  readonly #source: ByteSource;
  readonly #limit: number;
  #bytes = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));
  /** Where `#bytes` begins in the file, and the place within it. */
  #start = 0;
  #at = 0;
  #piece = firstPiece;
  littleEndian = true;

  constructor(source: ByteSource, limit: number) {
    this.#source = source;
    this.#limit = Math.min(limit, source.size);
  }

  get position(): number {
    return this.#start + this.#at;
  }
  /** How many bytes the file has after this place. */
  get left(): number {
    return this.#source.size - this.position;
  }

  /** Whether that many bytes are here already, so that `need` may be left out. */
  has(length: number): boolean {
    return this.#at + length <= this.#bytes.length;
  }

  /** Makes sure of the next bytes. Throws a ModelFileError where the file or the cap ends before. */
  async need(length: number, what: string): Promise<void> {
    if (this.has(length)) return;
    const { name, size } = this.#source;
    if (length > this.left)
      throw new ModelFileError(
        `${name}: ${what} would take ${length} bytes, but only ${this.left} are left: the file is cut short or damaged`,
      );
    if (this.position + length > this.#limit)
      throw new ModelFileError(
        `${name}: its header goes on after ${this.#limit} of ${size} bytes, more than is read`,
      );
    const rest = this.#bytes.subarray(this.#at);
    const from = this.position + rest.length;
    const fetched = await this.#source.read(
      from,
      Math.min(Math.max(length - rest.length, this.#piece), this.#limit - from),
    );
    this.#piece = Math.min(4 * this.#piece, largestPiece);
    const bytes = new Uint8Array(rest.length + fetched.length);
    bytes.set(rest);
    bytes.set(fetched, rest.length);
    this.#start = this.position;
    this.#at = 0;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  skip(length: number): void {
    this.#at += length;
  }
  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }
  i8(): number {
    return this.#view.getInt8(this.#advance(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#advance(2), this.littleEndian);
  }
  i16(): number {
    return this.#view.getInt16(this.#advance(2), this.littleEndian);
  }
  u32(): number {
    return this.#view.getUint32(this.#advance(4), this.littleEndian);
  }
  i32(): number {
    return this.#view.getInt32(this.#advance(4), this.littleEndian);
  }
  f32(): number {
    return this.#view.getFloat32(this.#advance(4), this.littleEndian);
  }
  f64(): number {
    return this.#view.getFloat64(this.#advance(8), this.littleEndian);
  }
  /** 64 bits as a number: exact below 2^53, beyond that too large for any check to pass. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), this.littleEndian));
  }
  i64(): number {
    return Number(this.#view.getBigInt64(this.#advance(8), this.littleEndian));
  }
  text(length: number): string {
    const at = this.#advance(length);
    return decoder.decode(this.#bytes.subarray(at, at + length));
  }

  #advance(length: number): number {
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

const decoder = new TextDecoder();
