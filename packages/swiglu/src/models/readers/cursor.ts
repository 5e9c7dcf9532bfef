// A place in a file that moves forward through its header: numbers and strings, fetched in growing pieces, never past the end.
import { type ByteSource, ModelFileError } from "../files/bytes.js";

const firstPiece = 65_536;
const largestPiece = 4_194_304;
const smallPiece = 4096;

/** Reads a header from its start. `need` fetches; the other calls take what it has made sure of. */
export class Cursor {
  readonly #source: ByteSource;
  /** How many bytes may be fetched in all. */
  readonly #limit: number;
  #fetched = 0;
  #bytes = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));
  /** Where `#bytes` begins in the file, and the place within it. */
  #start = 0;
  #at = 0;
  #piece = firstPiece;
  littleEndian = true;

  constructor(source: ByteSource, limit: number) {
    this.#source = source;
    this.#limit = limit;
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
    const rest = this.#bytes.subarray(this.#at);
    const wanted = length - rest.length;
    const from = this.position + rest.length;
    if (this.#fetched + wanted > this.#limit)
      throw new ModelFileError(
        `${name}: its header goes on after ${this.#fetched} of ${size} bytes were read, which is all that is`,
      );
    const piece = Math.min(this.#piece, this.#limit - this.#fetched, size - from);
    const fetched = await this.#source.read(from, Math.max(wanted, piece));
    this.#fetched += fetched.length;
    this.#piece = Math.min(4 * this.#piece, largestPiece);
    const bytes = new Uint8Array(rest.length + fetched.length);
    bytes.set(rest);
    bytes.set(fetched, rest.length);
    this.#start = this.position;
    this.#at = 0;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  /** Passes bytes that are here. */
  skip(length: number): void {
    this.#at += length;
  }

  /** Passes bytes that may not be here yet, without fetching them. */
  jump(length: number): void {
    if (this.has(length)) {
      this.#at += length;
      return;
    }
    this.#start = this.position + length;
    this.#at = 0;
    this.#bytes = new Uint8Array(0);
    // What follows data that was passed over is usually small, and more of such data.
    this.#piece = smallPiece;
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
    return decoder.decode(this.bytes(length));
  }
  /** The next bytes, without passing them. */
  peek(length: number): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#at + length);
  }
  bytes(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  #advance(length: number): number {
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

const decoder = new TextDecoder();
