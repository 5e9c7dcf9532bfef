// Parameters with a value for each channel. The channel of an element is its index mod length, so the values repeat.
import type { ParameterValue } from "./data.js";

/** How many values a parameter has. */
export const lengthOf = (value: ParameterValue): number => (typeof value === "number" ? 1 : value.length);

/** The first `length` values of a parameter, which repeat. */
export const repeated = (values: ArrayLike<number>, length: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => values[i % values.length] as number);

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);

/** The least number that is a multiple of both. */
export const leastCommonMultiple = (a: number, b: number): number => (a / greatestCommonDivisor(a, b)) * b;
