// What the model's graphs read, and the loss that training minimises: one definition for the trainer and for whoever
// looks at the same loss in another way.
import { crossEntropy, input, logLoss, type Tensor, transpose } from "onnx-grad";
import { placesOf } from "./packing.js";
import type { Weights } from "./projection.js";
import { isImageShape, logits, type Packing } from "./transformer.js";
import type { Inputs, ModelShape, SequenceShape, Variant } from "./types.js";

/** Tensors of a graph that take examples and their labels. */
export interface Ports {
  readonly inputs: Tensor;
  readonly labels: Tensor;
  readonly packing?: Packing | undefined;
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

/** Those of a packed batch of so many rows. */
export function packedPorts({ context }: SequenceShape, rows: number): Required<Ports> {
  const places = [placesOf(rows, context)];
  return {
    inputs: input("tokens", [rows, context], "int32"),
    labels: input("labels", places, "int32"),
    packing: {
      positions: input("positions", [rows, context], "int32"),
      places: input("places", places, "int32"),
    },
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
  const scores = logits(variant, shape, inputs, weights, { math: "fast", packing });
  if (isImageShape(shape)) return crossEntropy(scores, labels);
  return crossEntropy(scores, packing ? labels : transpose(labels), { padding: true });
}

/** The cross-entropy of every label of sequences in nats, in the order of the labels; 0 where it is padding. */
export function losses(
  variant: Variant,
  shape: SequenceShape,
  { inputs, labels, packing }: Ports,
  weights: Weights,
): Tensor {
  const scores = logits(variant, shape, inputs, weights, { math: "fast", packing });
  const each = logLoss(scores, packing ? labels : transpose(labels), { padding: true });
  return packing ? each : transpose(each);
}
