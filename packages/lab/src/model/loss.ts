// What the model's graphs read, and the loss that training minimises: one definition for the trainer and for whoever
// looks at the same loss in another way.
import { crossEntropy, input, type Tensor, transpose } from "onnx-grad";
import type { Weights } from "./projection.js";
import { isImageShape, logits } from "./transformer.js";
import type { Inputs, ModelShape, Variant } from "./types.js";

/** The inputs and labels of `count` examples, as tensors of a graph. */
export function ports(shape: ModelShape, count: number): { inputs: Tensor; labels: Tensor } {
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

/** The mean cross-entropy of `count` examples in nats, padding left out. */
export function meanLoss(variant: Variant, shape: ModelShape, count: number, weights: Weights): Tensor {
  const { inputs, labels } = ports(shape, count);
  const scores = logits(variant, shape, inputs, weights);
  return isImageShape(shape)
    ? crossEntropy(scores, labels)
    : crossEntropy(scores, transpose(labels), { padding: true });
}
