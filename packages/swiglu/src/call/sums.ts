// Gradients of parameters. They are sums over all elements, computed in float64, and returned in the parameter's own shape.
import { lengthOf } from "./channels.js";
import type { ParameterValue } from "./data.js";

/** Zeros for the sums of a parameter: one, or one for each channel. */
export const zeroSums = (value: ParameterValue): Float64Array => new Float64Array(lengthOf(value));

/** Adds values to the sums of the channels they belong to. */
export function addToSums(sums: Float64Array, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) sums[i % sums.length]! += values[i] as number;
}

/** The sums in the shape of the parameter. */
const inShapeOf = (value: ParameterValue, sums: Float64Array): ParameterValue =>
  typeof value === "number" ? (sums[0] as number) : Float32Array.from(sums);

/** A parameter's gradient in its own shape, from values for the channels of a row. */
export function sumsOf(value: ParameterValue, values: ArrayLike<number>): ParameterValue {
  const sums = zeroSums(value);
  addToSums(sums, values);
  return inShapeOf(value, sums);
}

/** The gradients of parameters by name, from sums in the parameters' order. */
export const gradientsByName = (
  parameters: Readonly<Record<string, ParameterValue>>,
  sums: readonly Float64Array[],
): Record<string, ParameterValue> =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, value], i) => [name, inShapeOf(value, sums[i] as Float64Array)]),
  );
