// What the model's graphs read, and the loss that training minimises: one definition for the trainer and for whoever
// looks at the same loss in another way.
import { crossEntropy, input, type Tensor, transpose } from "onnx-grad";
import type { Packing } from "./packing.js";
import type { Weights } from "./projection.js";
import { isImageShape, logits } from "./transformer.js";
import type { Inputs, ModelShape, Variant } from "./types.js";

/** Tensors of a graph that take examples and their labels. */
export interface Ports {
  readonly inputs: Tensor;
  readonly labels: Tensor;
  readonly packing?: Packing;
}

/** Those of `count` examples. */
export function ports(shape: ModelShape, count: number): Ports {
  return isImageShape(shape)
    ? { inputs: input("images", [count, shape.imageSize ** 2]), labels: input("labels", [count], "int32") }
    : {
        inputs: input("tokens", [count, shape.context], "int32"),
        labels: input("labels", [count, shape.context], "int32"),
      };
}

/** Data for the tensors of `ports`. */
export const feeds = (shape: ModelShape, inputs: Inputs, labels: Int32Array): Record<string, Inputs> =>
  isImageShape(shape) ? { images: inputs, labels } : { tokens: inputs, labels };

/** The mean cross-entropy of examples in nats, padding left out. */
export function meanLoss(
  variant: Variant,
  shape: ModelShape,
  { inputs, labels, packing }: Ports,
  weights: Weights,
): Tensor {
  const scores = logits(variant, shape, inputs, weights, { math: "fast", ...(packing && { packing }) });
  if (isImageShape(shape)) return crossEntropy(scores, labels);
  return crossEntropy(scores, packing ? labels : transpose(labels), { padding: true });
}
