// The lab's model: a small transformer for images and sequences, trained under any activation.
export { Decoder } from "./decoder.js";
export { feedForwardParameters } from "./feed-forward.js";
export { pack } from "./packing.js";
export { Trainer } from "./trainer.js";
export { feeds, logits, meanLoss, packedPorts, parameterSpecs, ports } from "./transformer.js";
export type {
  ImageShape,
  Init,
  ModelShape,
  ParameterSpec,
  SequenceShape,
  TrainOptions,
  Variant,
} from "./types.js";
