// Element types and shapes of tensors.
import type { TypedArray as TypedArrayOf } from "swiglu/onnx";

/** Element types. Floats carry gradients; integers are indices and labels; bool is the result of comparisons. */
export type DType = "float32" | "float64" | "int32" | "int64" | "bool";

/** Element types that carry gradients. */
export type FloatDType = "float32" | "float64";

/** The array that holds elements of these types. */
export type TypedArray = TypedArrayOf<DType>;

/** Sizes of the axes, all known while the graph is built. `[]` is a scalar. */
export type Shape = readonly number[];

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether an element type carries gradients. */
export function isFloat(dtype: DType): dtype is FloatDType {
  return dtype === "float32" || dtype === "float64";
}
