// Element types of ONNX tensors: the code of each type in files, and the way between JavaScript numbers and the type's bits.
import { packHalf, unpackHalf } from "./half.js";

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

/** Element types. Activations compute in floats; integers are indices and labels; bool is the result of comparisons. */
export type ElementType = keyof Arrays;
/** Element types that activations compute in. */
export type FloatType = "float32" | "float16" | "bfloat16" | "float64";
/** The array that holds elements of a type. */
export type TypedArray<T extends ElementType = ElementType> = Arrays[T];

/** The array of plain numbers that holds what each element type can; float32 holds every 16-bit float. */
interface Numbers {
  float32: Float32Array;
  float16: Float32Array;
  bfloat16: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  int64: Float64Array;
  bool: Uint8Array;
}
/** The array that holds elements of a type as plain numbers. */
export type NumberArray<T extends ElementType = ElementType> = Numbers[T];

/** All facts about an element type: its code in files, its arrays, and the way between numbers and its bits. */
interface Element<T extends ElementType> {
  /** Its number in ONNX files: TensorProto.DataType. */
  readonly code: number;
  readonly array: ArrayType<Arrays[T]>;
  readonly numbers: ArrayType<Numbers[T]>;
  /** Other arrays that hold these very bits; `array` does. */
  readonly alsoIn?: string;
  /** Fills `into` with the numbers that begin at `start`. */
  readonly pack: (from: ArrayLike<number>, start: number, into: Arrays[T]) => void;
  /** Writes all elements as numbers into an array, beginning at `at`. Absent where both arrays are of one type. */
  readonly unpack?: (from: Arrays[T], into: Numbers[T], at: number) => void;
}
interface ArrayType<A> {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): A;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
}

function copy(from: ArrayLike<number>, start: number, into: { [i: number]: number; length: number }): void {
  for (let i = 0; i < into.length; i++) into[i] = from[start + i] as number;
}

const elements: { readonly [T in ElementType]: Element<T> } = {
  float32: { code: 1, array: Float32Array, numbers: Float32Array, pack: copy },
  float16: {
    code: 10,
    array: Uint16Array,
    numbers: Float32Array,
    alsoIn: "Float16Array",
    pack: (from, start, into) => packHalf("float16", from, start, into),
    unpack: (from, into, at) => unpackHalf("float16", from, into, at),
  },
  bfloat16: {
    code: 16,
    array: Uint16Array,
    numbers: Float32Array,
    pack: (from, start, into) => packHalf("bfloat16", from, start, into),
    unpack: (from, into, at) => unpackHalf("bfloat16", from, into, at),
  },
  float64: { code: 11, array: Float64Array, numbers: Float64Array, pack: copy },
  int32: { code: 6, array: Int32Array, numbers: Int32Array, pack: copy },
  int64: {
    code: 7,
    array: BigInt64Array,
    numbers: Float64Array,
    pack: (from, start, into) => {
      const words = new Int32Array(into.buffer, into.byteOffset, 2 * into.length);
      for (let i = 0; i < into.length; i++) {
        const value = from[start + i] as number;
        if (!Number.isSafeInteger(value))
          throw new RangeError(
            `element ${start + i} is ${String(value)}, expected a whole number up to 2^53 - 1 either way, as int64 is written from numbers`,
          );
        words[2 * i] = value;
        words[2 * i + 1] = Math.floor(value / 2 ** 32);
      }
    },
    unpack: (from, into, at) => {
      const words = new Int32Array(from.buffer, from.byteOffset, 2 * from.length);
      for (let i = 0; i < from.length; i++) {
        const value = (words[2 * i + 1] as number) * 2 ** 32 + ((words[2 * i] as number) >>> 0);
        if (!Number.isSafeInteger(value))
          throw new RangeError(`element ${at + i} is ${from[i]}, but a number is exact up to 2^53 - 1 only`);
        into[at + i] = value;
      }
    },
  },
  bool: { code: 9, array: Uint8Array, numbers: Uint8Array, pack: copy },
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
  return elements[type].array.BYTES_PER_ELEMENT;
}

/**
 * Numbers as the typed array that holds this element type: floats rounded once to nearest (ties to even), 16-bit floats as
 * their bits. Data that is such an array already is returned without a copy. A Uint16Array is read as numbers, not as the bits
 * of 16-bit floats. Throws a RangeError for an int64 that is not a whole number, or above 2^53 - 1.
 *
 * @example
 * Array.from(typedArray("float16", [1, -2])) // [15360, 49152]
 */
export function typedArray<T extends ElementType>(type: T, data: ArrayLike<number>): TypedArray<T> {
  return held(type, data) ?? packed(type, data, 0, data.length);
}

/** The numbers from `start` to before `end`, as the bytes that an ONNX file holds for them. */
export function bytesOf(
  type: ElementType,
  data: ArrayLike<number>,
  start: number,
  end: number,
): Uint8Array<ArrayBufferLike> {
  const { buffer, byteOffset, byteLength } =
    held(type, data)?.subarray(start, end) ?? packed(type, data, start, end);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The data itself, or a view of it, where it is an array of this element type already; otherwise undefined. */
function held<T extends ElementType>(type: T, data: ArrayLike<number>): Arrays[T] | undefined {
  const { array, alsoIn }: Pick<Element<T>, "array" | "alsoIn"> = elements[type];
  if (!ArrayBuffer.isView(data)) return undefined;
  const name = Reflect.get(data, Symbol.toStringTag) as string | undefined;
  // The 16-bit types have an array of their own only where the engine has one: a Uint16Array may hold any numbers.
  if (name !== (isHalf(type) ? alsoIn : array.name)) return undefined;
  if (data.constructor === array) return data as unknown as Arrays[T];
  // An array of another realm (an iframe's, say): runtimes accept only arrays of their own realm.
  return new array(data.buffer, data.byteOffset, (data as unknown as ArrayLike<number>).length);
}

function isHalf(type: ElementType): boolean {
  return type === "float16" || type === "bfloat16";
}

function packed<T extends ElementType>(
  type: T,
  data: ArrayLike<number>,
  start: number,
  end: number,
): Arrays[T] {
  const { array, pack }: Pick<Element<T>, "array" | "pack"> = elements[type];
  const into = new array(end - start);
  pack(data, start, into);
  return into;
}

/**
 * The numbers in bytes that hold elements of this type, as files and `typedArray` have them. They share memory with the bytes
 * where numbers of that type are such an array already. Throws a RangeError where the bytes do not make whole elements, or hold an
 * int64 above 2^53 - 1, which a number cannot.
 *
 * @example
 * numbersIn("float16", typedArray("float16", [1, -2])) // Float32Array [1, -2]
 */
export function numbersIn<T extends ElementType>(
  type: T,
  bytes: ArrayBufferLike | ArrayBufferView,
): NumberArray<T> {
  const own = elementsIn(type, bytes);
  const { unpack, numbers }: Pick<Element<T>, "unpack" | "numbers"> = elements[type];
  if (!unpack) return own as unknown as Numbers[T];
  const into = new numbers(own.length);
  unpack(own, into, 0);
  return into;
}

/** An array of numbers for `length` elements, which `readInto` fills. */
export function numberArray<T extends ElementType>(type: T, length: number): NumberArray<T> {
  const { numbers }: Pick<Element<T>, "numbers"> = elements[type];
  return new numbers(length);
}

/** The numbers in bytes, as `numbersIn` gives them, in memory of their own. */
export function numbersFrom<T extends ElementType>(type: T, bytes: Uint8Array): NumberArray<T> {
  const into = numberArray(type, bytes.length / elementBytes(type));
  readInto(type, bytes, into, 0);
  return into;
}

/** Writes the elements that bytes hold into an array of numbers, beginning at `at`. */
export function readInto<T extends ElementType>(
  type: T,
  bytes: Uint8Array,
  into: NumberArray<T>,
  at: number,
): void {
  const { unpack }: Pick<Element<T>, "unpack"> = elements[type];
  const size = elementBytes(type);
  if (!unpack) new Uint8Array(into.buffer, into.byteOffset).set(bytes, at * size);
  else if (bytes.byteOffset % size === 0) unpack(elementsIn(type, bytes), into, at);
  else {
    // Bytes that are not aligned are copied first: in parts that stay in the cache.
    const part = 2 ** 16;
    for (let start = 0; start < bytes.length; start += part)
      unpack(elementsIn(type, bytes.subarray(start, start + part)), into, at + start / size);
  }
}

/** Bytes as the array that holds this element type; they are copied where their address is not aligned. */
function elementsIn<T extends ElementType>(
  type: T,
  bytes: ArrayBufferLike | ArrayBufferView,
): Arrays[T] & ArrayBufferView {
  const { array }: Pick<Element<T>, "array"> = elements[type];
  const size = array.BYTES_PER_ELEMENT;
  const view = ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
  if (view.byteLength % size !== 0)
    throw new RangeError(
      `${view.byteLength} bytes do not make whole elements of ${type}, which has ${size} bytes each`,
    );
  const { buffer, byteOffset } = view.byteOffset % size === 0 ? view : view.slice();
  return new array(buffer, byteOffset, view.byteLength / size) as Arrays[T] & ArrayBufferView;
}
