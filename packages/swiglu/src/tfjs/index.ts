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
export type { KernelAttributes, KernelName } from "./seam.js";
