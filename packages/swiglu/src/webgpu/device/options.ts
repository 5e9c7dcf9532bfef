// What callers of the WebGPU backend see of it in types. Nothing here needs the compiler to know WebGPU.
import type { Tensor } from "../../call/data.js";

/** `GPUDevice` and `GPUBuffer` where the compiler's libraries know them, else any object: no types are forced on users. */
export type Device = typeof globalThis extends { GPUDevice: { prototype: infer D } } ? D : object;
export type DeviceBuffer = typeof globalThis extends { GPUBuffer: { prototype: infer B } } ? B : object;

/** How numbers are stored in the GPU's memory; sums are float32 either way. */
export type Storage = "f32" | "f16";

export interface WebgpuOptions {
  /** The caller's own GPUDevice, which stays the caller's; by default one is found, and destroyed with the backend. */
  readonly device?: Device;
  /**
   * How tensors are stored: `f32` (default), or `f16`, which halves the traffic and needs the device feature shader-f16.
   * Sums and activations are computed in float32 either way; typed arrays stay Float32Array.
   */
  readonly precision?: Storage;
}

/** A tensor in the GPU's memory; `buffer` is there for other programs on the same device. */
export interface WebgpuTensor extends Tensor {
  /** The GPUBuffer that holds it from its start, in the backend's precision. */
  readonly buffer: DeviceBuffer;
}
