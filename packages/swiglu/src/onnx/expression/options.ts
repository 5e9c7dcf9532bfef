// The emitter's options: tensors, names, the mode of arithmetic, the element type, the opset.
import type { FloatType } from "../model/elements.js";

/** Through Exp, or through ONNX's own activations: see `EmitOptions.math`. */
export type OnnxMath = "exact" | "fast";

/**
 * The mode of every call that is not told one. What this library promises of a formula, its error bound, then holds unless the
 * caller gives it up by name, and a file computes what the other backends compute.
 */
export const defaultMath: OnnxMath = "exact";

/** How an expression is written into a graph. */
export interface EmitOptions {
  /** From each variable of the expressions to the name of the ONNX tensor that holds it. Tensors broadcast. */
  readonly inputs: Readonly<Record<string, string>>;
  /** One ONNX tensor name for each expression, in order. */
  readonly outputs: readonly string[];
  /** The beginning of every inner tensor's and constant's name; it must be unique in the graph. */
  readonly prefix: string;
  /**
   * `exact` (the default everywhere, so that the library's bound holds unless it is given up by name): through Exp, within
   * `errorBound`; float16 and bfloat16 are converted to float32 and the result is rounded once.
   * `fast`: ONNX's own operators, fewer nodes: Sigmoid, Tanh, Erf, Softplus and Relu, and a whole activation as one of
   * SwiGLU, Swish, Gelu, Mish, HardSwish, Selu and Elu where its formula occurs and the opset has it. Their accuracy is
   * the runtime's: ONNX Runtime's CPU Sigmoid is off by 1e-5 of its value at -5 and is 0 below -18, its Erf and Gelu
   * lose gelu's tail below -5, and a NaN may pass a comparison as 0. In float64, which that runtime has few of them for, it is
   * the same as `exact`.
   */
  readonly math?: OnnxMath;
  /** The element type of the tensors; default `float32`. */
  readonly dtype?: FloatType;
  /** The version of ONNX's operators; default 21. Nothing older than 13 is meant to work. */
  readonly opset?: number;
  /** Variables whose tensors all have the result's shape; the SwiGLU operator, which does not broadcast, needs them. */
  readonly fullShape?: readonly string[];
  /** Inside a function: variables that are its float attributes, and so have no tensor. */
  readonly attributes?: readonly string[];
}

/**
 * The mode that a graph of this element type is written in. float64 is always exact: ONNX Runtime has no float64 of Gelu, Elu,
 * Selu, Softplus, Mish, HardSwish and Erf, and none of the SiLU that it makes of `x * Sigmoid(x)`.
 */
export function mathOf(dtype: FloatType, math: OnnxMath = defaultMath): OnnxMath {
  return dtype === "float64" ? "exact" : math;
}

/** The type that is computed in: exact results of 16-bit floats need float32 on the way. */
export function innerOf(dtype: FloatType, math: OnnxMath): FloatType {
  return math === "exact" && dtype !== "float64" ? "float32" : dtype;
}
