// Activations and layers for TensorFlow.js. Importing this registers nothing.
export type { KernelAttributes, KernelName } from "./seam.js";
