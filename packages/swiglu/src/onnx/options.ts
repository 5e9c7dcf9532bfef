// What the emitter is told: tensors, names, the mode of arithmetic, the element type, the opset.
import type { FloatType } from "./elements.js";

/** Through Exp, or through ONNX's own activations: see `EmitOptions.math`. */
export type OnnxMath = "exact" | "fast";

/** How an expression is to appear in a graph. */
export interface EmitOptions {
  /** From each variable of the expressions to the name of the ONNX tensor that holds it. Tensors broadcast. */
  readonly inputs: Readonly<Record<string, string>>;
  /** One ONNX tensor name for each expression, in order. */
  readonly outputs: readonly string[];
  /** Begins the name of every inner tensor and constant; must be unique in the graph. */
  readonly prefix: string;
  /**
   * `exact` (default): within the error bound of `errorBound`, through Exp; float16 and bfloat16 are converted to float32
   * and the result is rounded once.
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
export function mathOf(dtype: FloatType, math: OnnxMath): OnnxMath {
  return dtype === "float64" ? "exact" : math;
}
