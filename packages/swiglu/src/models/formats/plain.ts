// Numbers stored one by one: float32 and float64, the two halves, and the two kinds of 8-bit floats, as float32 bit for bit.

/** Decodes `blocks` blocks of a format from `bytes` into `out`, which has room for exactly their elements. */
export type Decode = (bytes: Uint8Array, blocks: number, out: Float32Array) => void;

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
/** The bits behind float32 values: writing them keeps every NaN as it is stored. */
const bitsOf = (out: Float32Array): Uint32Array => new Uint32Array(out.buffer, out.byteOffset, out.length);

/** The bits, as float32, of a small float with so many exponent and mantissa bits; `infinities` as in IEEE 754, or only NaN at the top. */
function widen(value: number, exponentBits: number, mantissaBits: number, infinities: boolean): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const top = 2 ** exponentBits - 1;
  const mantissaTop = 2 ** mantissaBits - 1;
  const sign = (value >>> (exponentBits + mantissaBits)) << 31;
  const exponent = (value >>> mantissaBits) & top;
  const mantissa = value & mantissaTop;
  const shifted = mantissa << (23 - mantissaBits);
  if (exponent === top && (infinities || mantissa === mantissaTop))
    return (sign | 0x7f800000 | shifted) >>> 0;
  if (exponent > 0) return (sign | ((exponent - bias + 127) << 23) | shifted) >>> 0;
  if (mantissa === 0) return sign >>> 0;
  // A subnormal of the small format is a normal number of float32.
  const lead = 31 - Math.clz32(mantissa);
  return (
    (sign | ((1 - bias - mantissaBits + lead + 127) << 23) | ((mantissa << (23 - lead)) & 0x7fffff)) >>> 0
  );
}

let halfBits: Uint32Array | undefined;
/** All 65,536 halves as float32 bits, made when the first one is needed. */
function halves(): Uint32Array {
  halfBits ??= Uint32Array.from({ length: 65_536 }, (_, value) => widen(value, 5, 10, true));
  return halfBits;
}

let halfNumbers: Float32Array | undefined;
/** The number that a half's two bytes stand for, little endian. */
export function half(bytes: Uint8Array, at: number): number {
  halfNumbers ??= new Float32Array(halves().buffer);
  return halfNumbers[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] as number;
}

export const f32: Decode = (bytes, blocks, out) => {
  const view = viewOf(bytes);
  const bits = bitsOf(out);
  for (let i = 0; i < blocks; i++) bits[i] = view.getUint32(4 * i, true);
};

export const f64: Decode = (bytes, blocks, out) => {
  const view = viewOf(bytes);
  for (let i = 0; i < blocks; i++) out[i] = view.getFloat64(8 * i, true);
};

export const f16: Decode = (bytes, blocks, out) => {
  const table = halves();
  const bits = bitsOf(out);
  for (let i = 0; i < blocks; i++)
    bits[i] = table[(bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8)] as number;
};

export const bf16: Decode = (bytes, blocks, out) => {
  const bits = bitsOf(out);
  for (let i = 0; i < blocks; i++)
    bits[i] = ((bytes[2 * i] as number) << 16) | ((bytes[2 * i + 1] as number) << 24);
};

const byTable = (table: Uint32Array): Decode => {
  return (bytes, blocks, out) => {
    const bits = bitsOf(out);
    for (let i = 0; i < blocks; i++) bits[i] = table[bytes[i] as number] as number;
  };
};
const bytesTable = (exponentBits: number, mantissaBits: number, infinities: boolean): Uint32Array =>
  Uint32Array.from({ length: 256 }, (_, value) => widen(value, exponentBits, mantissaBits, infinities));

/** Four exponent bits, no infinities, NaN at the top only (E4M3FN). */
export const f8e4m3: Decode = byTable(/* @__PURE__ */ bytesTable(4, 3, false));
/** Five exponent bits, infinities and NaN as in IEEE 754. */
export const f8e5m2: Decode = byTable(/* @__PURE__ */ bytesTable(5, 2, true));
