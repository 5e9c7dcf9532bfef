// Activations and layers for TensorFlow.js. Importing this registers nothing.
export { activate, activatePacked, type PackedOptions, type Parameter } from "./activate.js";
export {
  type FfnTensors,
  ffn,
  type GatedDenseWeights,
  type GatedFfnTensors,
  gatedDense,
  gatedFfn,
} from "./feed-forward.js";
export { registerFusedKernels, unregisterFusedKernels } from "./fused/index.js";
export type { ActivationLike } from "./layers/config.js";
export { GatedDense, type GatedDenseArgs } from "./layers/gated-dense.js";
export { GatedFfn, type GatedFfnArgs } from "./layers/gated-ffn.js";
export { Glu, type GluArgs } from "./layers/glu.js";
export type { ParameterLike, ParameterOptions } from "./layers/parameters.js";
export { registerLayers } from "./layers/register.js";
export { SelfGated, type SelfGatedArgs } from "./layers/self-gated.js";
export { Swish, type SwishArgs } from "./layers/swish.js";
export type { KernelAttributes, KernelName } from "./seam.js";
