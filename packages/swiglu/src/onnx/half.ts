// 16-bit floats: bits to numbers and back, each rounded once to nearest (ties to even), through the bits of float32.

/** The 16-bit formats: IEEE 754's binary16, and the upper half of a float32. */
export type HalfType = "float16" | "bfloat16";

const block = 4096;
const scratch = new Float32Array(block);
const scratchBits = new Uint32Array(scratch.buffer);

/** Writes numbers, from the given one on, into an array of 16-bit floats until that is full. */
export function packHalf(type: HalfType, from: ArrayLike<number>, start: number, into: Uint16Array): void {
  const narrow = type === "float16" ? toFloat16 : toBfloat16;
  const exact = isFloat32Array(from);
  for (let done = 0; done < into.length; done += block) {
    const count = Math.min(block, into.length - done);
    if (exact) scratch.set(from.subarray(start + done, start + done + count));
    else toOddFloat32(from, start + done, count);
    for (let i = 0; i < count; i++) into[done + i] = narrow(scratchBits[i] as number);
  }
}

/** The numbers of 16-bit floats; float32 holds every one of them. */
export function unpackHalf(type: HalfType, from: Uint16Array, into: Float32Array, at: number): void {
  if (type === "float16") {
    const values = float16Values();
    for (let i = 0; i < from.length; i++) into[at + i] = values[from[i] as number] as number;
  } else {
    const bits = new Uint32Array(into.buffer, into.byteOffset, into.length);
    for (let i = 0; i < from.length; i++) bits[at + i] = (from[i] as number) << 16;
  }
}

function isFloat32Array(data: ArrayLike<number>): data is Float32Array {
  return ArrayBuffer.isView(data) && Reflect.get(data, Symbol.toStringTag) === "Float32Array";
}

/**
 * Numbers as float32 in the scratch, rounded to odd: what is not a float32 goes to the neighbour whose last bit is 1. That
 * bit then tells the next rounding that something was lost, so that rounding twice gives what rounding once would.
 */
function toOddFloat32(from: ArrayLike<number>, start: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const value = from[start + i] as number;
    scratch[i] = value;
    const near = scratch[i] as number;
    // Not for NaN, which is no number's neighbour.
    if (near === value || value !== value) continue;
    const bits = scratchBits[i] as number;
    if (bits & 1) continue;
    scratchBits[i] = Math.abs(near) > Math.abs(value) ? bits - 1 : bits + 1;
  }
}

function toFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return 0x7e00;
  if (size >= 0x477ff000) return sign | 0x7c00; // 65520, which is half a step beyond the largest, and more
  if (size >= 0x38800000) {
    const rebiased = size - ((127 - 15) << 23);
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
  }
  if (size < 0x33000000) return sign; // below half of the smallest
  const fraction = (size & 0x7fffff) | 0x800000;
  const shift = 126 - (size >>> 23);
  return sign | ((fraction + (1 << (shift - 1)) - 1 + ((fraction >>> shift) & 1)) >>> shift);
}

function toBfloat16(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fc0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

let table: Float32Array | undefined;

/** The value of each of the 65536 bit patterns of float16. */
function float16Values(): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
  return table;
}
