// The lab's model: a small vision transformer, trained under any activation.
export { feedForwardParameters } from "./feed-forward.js";
export { Trainer } from "./trainer.js";
export type { Init, ModelShape, ParameterSpec, TrainOptions, Variant } from "./types.js";
export { logits, parameterSpecs } from "./vision-transformer.js";
