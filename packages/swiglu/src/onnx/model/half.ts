// 16-bit floats: numbers to bits and back, by way of the bits of float32. Each number is rounded once, to nearest, ties to even.

/** The 16-bit formats: IEEE 754's binary16, and the upper half of a float32. */
export type HalfType = "float16" | "bfloat16";

const block = 4096;
const scratch = new Float32Array(block);
const scratchBits = new Int32Array(scratch.buffer);

/** Fills an array of 16-bit floats with the numbers that begin at `start`. */
export function packHalf(type: HalfType, from: ArrayLike<number>, start: number, into: Uint16Array): void {
  const pack = type === "float16" ? packFloat16 : packBfloat16;
  if (isFloat32Array(from)) {
    pack(new Int32Array(from.buffer, from.byteOffset + 4 * start, into.length), into, 0);
    return;
  }
  for (let done = 0; done < into.length; done += block) {
    const count = Math.min(block, into.length - done);
    toOddFloat32(from, start + done, count);
    pack(count < block ? scratchBits.subarray(0, count) : scratchBits, into, done);
  }
}

/** The numbers of 16-bit floats; float32 holds every one of them. */
export function unpackHalf(type: HalfType, from: Uint16Array, into: Float32Array, at: number): void {
  const unpack = type === "float16" ? unpackFloat16 : unpackBfloat16;
  unpack(from, new Int32Array(into.buffer, into.byteOffset + 4 * at, from.length));
}

function isFloat32Array(data: ArrayLike<number>): data is Float32Array {
  return ArrayBuffer.isView(data) && Reflect.get(data, Symbol.toStringTag) === "Float32Array";
}

/**
 * Writes numbers into the scratch as float32, rounded to odd: a number between two float32 values becomes the one whose last bit
 * is 1. That bit tells the next rounding that something was lost. Rounding twice then gives the same result as rounding once.
 */
function toOddFloat32(from: ArrayLike<number>, start: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const value = from[start + i] as number;
    scratch[i] = value;
    const near = scratch[i] as number;
    // NaN needs no rounding.
    if (near === value || Number.isNaN(value)) continue;
    const bits = scratchBits[i] as number;
    if (bits & 1) continue;
    scratchBits[i] = Math.abs(near) > Math.abs(value) ? bits - 1 : bits + 1;
  }
}

/** The exponent bias of float32 minus that of float16, at the position of the exponent's bits. */
const rebias = (127 - 15) << 23;
const smallestNormal = rebias + (1 << 23);
/** The bits of 65520 as float32. It is half a step above the largest float16: from here on the result is infinite. */
const overflow = 0x477ff000;

/** Converts bits of float32 to bits of float16, and writes them from position `at` on. */
function packFloat16(from: Int32Array, into: Uint16Array, at: number): void {
  for (let i = 0; i < from.length; i++) {
    const bits = from[i] as number;
    const size = bits & 0x7fffffff;
    const sign = (bits >>> 16) & 0x8000;
    into[at + i] =
      size >= smallestNormal && size < overflow
        ? sign | ((size - rebias + 0xfff + ((size >>> 13) & 1)) >>> 13)
        : unusualFloat16(sign, size);
  }
}

/** The bits of float16 for a number that is too large, too small for a normal one, or NaN (whose sign is dropped). */
function unusualFloat16(sign: number, size: number): number {
  if (size > 0x7f800000) return 0x7e00;
  if (size >= overflow) return sign | 0x7c00;
  if (size < 0x33000000) return sign; // below half of the smallest float16
  const fraction = (size & 0x7fffff) | 0x800000;
  const shift = 126 - (size >>> 23);
  return sign | ((fraction + (1 << (shift - 1)) - 1 + ((fraction >>> shift) & 1)) >>> shift);
}

function packBfloat16(from: Int32Array, into: Uint16Array, at: number): void {
  for (let i = 0; i < from.length; i++) {
    const bits = from[i] as number;
    into[at + i] = (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
}

function unpackBfloat16(from: Uint16Array, into: Int32Array): void {
  for (let i = 0; i < from.length; i++) into[i] = (from[i] as number) << 16;
}

function unpackFloat16(from: Uint16Array, into: Int32Array): void {
  for (let i = 0; i < from.length; i++) {
    const bits = from[i] as number;
    const size = bits & 0x7fff;
    const sign = (bits & 0x8000) << 16;
    into[i] = size >= 0x400 && size < 0x7c00 ? sign | ((size << 13) + rebias) : sign | unusualFloat32(size);
  }
}

/** The bits of float32 for a float16 that is not normal: smaller than 2^-14, infinite, or NaN. */
function unusualFloat32(size: number): number {
  if (size >= 0x7c00) return size === 0x7c00 ? 0x7f800000 : 0x7fc00000;
  if (size === 0) return 0;
  const shift = Math.clz32(size) - 21; // the shift that brings the leading bit to 2^10
  return ((113 - shift) << 23) | ((size << (shift + 13)) & 0x7fffff);
}
