// Arrays that callers pass: of any realm (an iframe's, a vm context's, Jest's), on any kind of buffer.
// `instanceof` knows only the classes of its own realm, so it is not used for arrays of callers.
import type { Data } from "./data.js";

/** Gives the class of a typed array of any realm. It reads the engine's own slot, which no object can imitate. */
const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ?.get as (this: unknown) => string | undefined;

/** The class of a typed array of any realm, such as "Float32Array"; undefined for everything else. */
export const typedArrayName = (value: unknown): string | undefined => tagOf.call(value);

/** Whether a value is a Float32Array, of this realm or another. */
export const isFloat32Array = (value: unknown): value is Float32Array =>
  typedArrayName(value) === "Float32Array";

/** Throws a TypeError where an array's memory is gone, since it was transferred to another thread or cut off by `resize`. */
export function checkAttached(array: Float32Array, name: string): void {
  // The length is no proof: V8's optimised code may return the old one.
  try {
    Float32Array.prototype.at.call(array, 0);
  } catch {
    throw new TypeError(
      `${name} is a Float32Array whose memory is gone: its buffer was transferred, or made smaller by resize(); pass an array that holds its numbers`,
    );
  }
}

/** The array as one of this realm, on the same memory, for libraries that accept no other. */
export const ofThisRealm = (array: Float32Array): Float32Array =>
  array.constructor === Float32Array ? array : new Float32Array(array.buffer, array.byteOffset, array.length);

/** The array, or a copy of it where its memory is shared or resizable, which not every interface of the platform accepts. */
export const inPlainMemory = (array: Float32Array): Float32Array =>
  isShared(array.buffer) || isResizable(array) ? array.slice() : array;

/** Whether threads share a buffer, of this realm or another. */
export const isShared = (buffer: ArrayBufferLike): boolean =>
  Object.prototype.toString.call(buffer) === "[object SharedArrayBuffer]";

/** Whether an array's buffer can change its size. */
function isResizable({ buffer }: Float32Array): boolean {
  const { resizable, growable } = buffer as { readonly resizable?: boolean; readonly growable?: boolean };
  return resizable === true || growable === true;
}

/**
 * Whether writing to one changes the other: one object, arrays whose bytes overlap, or tensors in one buffer of the
 * caller's (tensors begin at a buffer's start).
 */
export function overlap(a: Data, b: Data): boolean {
  if (a === b) return true;
  if (isFloat32Array(a) || isFloat32Array(b)) return isFloat32Array(a) && isFloat32Array(b) && share(a, b);
  const [memory, other] = [a, b].map((tensor) => (tensor as { readonly buffer?: object }).buffer);
  return memory !== undefined && memory === other;
}

const share = (a: Float32Array, b: Float32Array): boolean =>
  a.buffer === b.buffer &&
  Math.max(a.byteOffset, b.byteOffset) < Math.min(a.byteOffset + a.byteLength, b.byteOffset + b.byteLength);
