// Parameters with one value for each channel: channel = element index mod length, so their values repeat.
import type { ParameterValue } from "./data.js";

/** How many values a parameter has. */
export const lengthOf = (value: ParameterValue): number => (typeof value === "number" ? 1 : value.length);

/** So many values of a parameter, from its first on, repeated as often as it takes. */
export const repeated = (values: ArrayLike<number>, length: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => values[i % values.length] as number);

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);

/** After how many elements two lengths both begin again. */
export const leastCommonMultiple = (a: number, b: number): number => (a / greatestCommonDivisor(a, b)) * b;
