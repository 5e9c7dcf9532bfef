// The options that nodes, models, files and functions share, and the checks on them.
import { listing } from "../../errors.js";
import { defaultMath, innerOf, mathOf, type OnnxMath } from "../expression/options.js";
import type { Graph } from "../graph/graph.js";
import { type FloatType, floatTypes, largestOf } from "../model/elements.js";

/** How a graph is written. */
export interface WriteOptions {
  /** The version of ONNX's operators, 13 to 28; default 21. ONNX Runtime 1.30 loads up to 26. */
  readonly opset?: number;
  /** The element type of inputs, weights and output; default `float32`. */
  readonly dtype?: FloatType;
  /**
   * `exact` (the default everywhere, so that the library's error bound holds unless it is given up by name): through Exp.
   * `fast`: ONNX's own operators, down to one SwiGLU from opset 28 and Swish from 24; their accuracy is the runtime's.
   * float64, for which ONNX Runtime lacks most of those operators, is exact either way. See docs/onnx.md for the bounds.
   */
  readonly math?: OnnxMath;
}

/** The oldest opset whose operators take every float type that is used, and the newest opset that is known. */
const opsets = { first: 13, last: 28 } as const;
/** From this opset on, every operator that is used takes bfloat16. */
const bfloat16Opset = 22;

/** The options with their defaults. Throws a RangeError for one that is unknown or does not go with the others. */
export function checkSettings(graph: Graph, options: WriteOptions): Required<WriteOptions> {
  const { opset = 21, dtype = "float32", math: asked = defaultMath } = options;
  const { first, last } = opsets;
  if (!Number.isInteger(opset) || opset < first || opset > last)
    throw new RangeError(`opset is ${String(opset)}, expected a whole number from ${first} to ${last}`);
  if (!floatTypes.includes(dtype))
    throw new RangeError(`dtype is ${String(dtype)}, expected one of ${listing(floatTypes)}`);
  if (asked !== "fast" && asked !== "exact")
    throw new RangeError(`math is ${String(asked)}, expected fast or exact`);
  const math = mathOf(dtype, asked);
  if (dtype === "bfloat16" && math === "fast" && opset < bfloat16Opset)
    throw new RangeError(
      `opset is ${opset}, but ONNX's own activations take bfloat16 only from ${bfloat16Opset} on: use that, or math "exact"`,
    );
  const inner = innerOf(dtype, math);
  for (const [name, value] of Object.entries(graph.numbers)) {
    if (Math.abs(value) <= largestOf(inner) || value === Infinity) continue; // a limit of Infinity is none
    throw new RangeError(
      `parameter ${name} is ${value}, but ${inner} ends at ${largestOf(inner)}: use a smaller one, or another dtype`,
    );
  }
  return { opset, dtype, math };
}
