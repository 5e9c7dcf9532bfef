// Element types of ONNX tensors: their numbers in files, and JavaScript numbers in each type's own bits.

/** The typed array that holds each element type; the 16-bit floats are held as their bits. */
interface Arrays {
  float32: Float32Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  float64: Float64Array;
  int32: Int32Array;
  int64: BigInt64Array;
  bool: Uint8Array;
}

/** Element types. Floats are what activations compute in; integers are indices and labels; bool compares. */
export type ElementType = keyof Arrays;
/** Element types that activations compute in. */
export type FloatType = "float32" | "float16" | "bfloat16" | "float64";
/** The array that holds elements of a type. */
export type TypedArray<T extends ElementType = ElementType> = Arrays[T];

/** A binary floating-point format of 16 bits. */
interface HalfFormat {
  readonly fractionBits: number;
  readonly bias: number;
}
const float16: HalfFormat = { fractionBits: 10, bias: 15 };
const bfloat16: HalfFormat = { fractionBits: 7, bias: 127 };

/** What is to know of an element type. `write` takes an array as it is where it holds this type already. */
interface Element<T extends ElementType> {
  /** Its number in ONNX files: TensorProto.DataType. */
  readonly code: number;
  readonly bytes: number;
  readonly write: (data: ArrayLike<number>) => Arrays[T];
  readonly read: (buffer: ArrayBuffer) => ArrayLike<number>;
}
const elements: { readonly [T in ElementType]: Element<T> } = {
  float32: {
    code: 1,
    bytes: 4,
    write: (data) => (data instanceof Float32Array ? data : Float32Array.from(data)),
    read: (buffer) => new Float32Array(buffer),
  },
  float16: {
    code: 10,
    bytes: 2,
    write: (data) => Uint16Array.from(data, (x) => toHalf(x, float16)),
    read: (buffer) => Float32Array.from(new Uint16Array(buffer), (bits) => fromHalf(bits, float16)),
  },
  bfloat16: {
    code: 16,
    bytes: 2,
    write: (data) => Uint16Array.from(data, (x) => toHalf(x, bfloat16)),
    read: (buffer) => Float32Array.from(new Uint16Array(buffer), (bits) => fromHalf(bits, bfloat16)),
  },
  float64: {
    code: 11,
    bytes: 8,
    write: (data) => (data instanceof Float64Array ? data : Float64Array.from(data)),
    read: (buffer) => new Float64Array(buffer),
  },
  int32: {
    code: 6,
    bytes: 4,
    write: (data) => (data instanceof Int32Array ? data : Int32Array.from(data)),
    read: (buffer) => new Int32Array(buffer),
  },
  int64: {
    code: 7,
    bytes: 8,
    write: (data) => BigInt64Array.from(Array.from(data), BigInt),
    read: (buffer) => Array.from(new BigInt64Array(buffer), Number),
  },
  bool: {
    code: 9,
    bytes: 1,
    write: (data) => (data instanceof Uint8Array ? data : Uint8Array.from(data)),
    read: (buffer) => new Uint8Array(buffer),
  },
};

/** The largest finite number of a float type. */
export function largestOf(type: FloatType): number {
  return largest[type];
}
const largest: { readonly [T in FloatType]: number } = {
  float32: (2 - 2 ** -23) * 2 ** 127,
  float16: 65504,
  bfloat16: (2 - 2 ** -7) * 2 ** 127,
  float64: Number.MAX_VALUE,
};

/** The types that activations compute in. */
export const floatTypes = Object.keys(largest) as readonly FloatType[];

/** Every element type, for checks and messages. */
export const elementTypes = Object.keys(elements) as readonly ElementType[];

/** The number of an element type in ONNX files. Example: `elementCode("float16")` is 10. */
export function elementCode(type: ElementType): number {
  return elements[type].code;
}

/** The element type with that number in ONNX files, or undefined. */
export function elementTypeOf(code: number): ElementType | undefined {
  return elementTypes.find((type) => elements[type].code === code);
}

/** The bytes of one element. */
export function elementBytes(type: ElementType): number {
  return elements[type].bytes;
}

/**
 * Numbers as the typed array that holds this element type, rounded to nearest (ties to even), and without a copy where
 * they are such an array already.
 *
 * @example
 * Array.from(typedArray("float16", [1, -2])) // [15360, 49152]
 */
export function typedArray<T extends ElementType>(type: T, data: ArrayLike<number>): TypedArray<T> {
  const { write }: { write: (data: ArrayLike<number>) => Arrays[T] } = elements[type];
  return write(data);
}

/** The numbers in a buffer that holds elements of this type. */
export function numbersIn(type: ElementType, buffer: ArrayBuffer): ArrayLike<number> {
  return elements[type].read(buffer);
}

/** A number's bits in a 16-bit format, rounded once. What is too large becomes infinity, as in IEEE 754. */
function toHalf(value: number, { fractionBits, bias }: HalfFormat): number {
  const infinity = (2 * bias + 1) << fractionBits;
  if (Number.isNaN(value)) return infinity | (1 << (fractionBits - 1));
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  const exponent = Math.min(Math.max(Math.floor(Math.log2(size)), 1 - bias), bias);
  // In units of the last place: a normal number has its leading one at 2^fractionBits, which adds 1 to the exponent.
  const units = roundToEven(size / 2 ** (exponent - fractionBits));
  const bits = units + (exponent + bias - 1) * 2 ** fractionBits;
  return sign | Math.min(bits, infinity);
}

function fromHalf(bits: number, { fractionBits, bias }: HalfFormat): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >> fractionBits;
  const fraction = bits & ((1 << fractionBits) - 1);
  if (exponent === 2 * bias + 1) return fraction === 0 ? sign * Infinity : Number.NaN;
  const leading = exponent === 0 ? 0 : 1 << fractionBits;
  return sign * (leading + fraction) * 2 ** (Math.max(exponent, 1) - bias - fractionBits);
}

function roundToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
