// Registers fused kernels with TensorFlow.js's wasm backend; until then activations and layers are composed of its operations.
import * as tf from "@tensorflow/tfjs";
import { chooseSimd } from "../../wasm/face.js";
import type { KernelAttributes, KernelName } from "../seam.js";
import { activationBackward, activationForward } from "./activation.js";
import { ffnBackward, ffnForward } from "./ffn.js";
import { gatedDenseBackward, gatedDenseForward } from "./gated-dense.js";
import { shareClones, unshareClones } from "./identity.js";
import { type Run, runOn } from "./workplace.js";

type KernelFunction = (run: Run, attributes: KernelAttributes) => void;

const kernels: Readonly<
  Partial<Record<KernelName, { readonly forward: KernelFunction; readonly backward: KernelFunction }>>
> = {
  SwigluActivation: { forward: activationForward, backward: activationBackward },
  SwigluGatedDense: { forward: gatedDenseForward, backward: gatedDenseBackward },
  SwigluFfn: { forward: ffnForward, backward: ffnBackward },
};

const all = Object.entries(kernels).flatMap(([name, { forward, backward }]) => [
  [name, forward] as const,
  [`${name}Backward`, backward] as const,
]);

/**
 * Registers this library's fused kernels for TensorFlow.js's wasm backend, which need not be loaded yet. From then on the
 * activations and layers of `swiglu/tfjs` use them wherever that backend computes, forward and backward, on the tensors' own
 * memory; gradients of gradients still come from composed operations. Tensors that any operation keeps for its gradient are no
 * longer copied there. Calling it again changes nothing.
 *
 * Throws an Error where WebAssembly SIMD is missing. Where a build of the backend hides its memory, kernels copy their tensors
 * in and out, and a warning says so once.
 *
 * @example
 * await tf.setBackend("wasm");
 * registerFusedKernels();
 */
export function registerFusedKernels(): void {
  chooseSimd();
  shareClones();
  for (const [kernelName, kernel] of all)
    if (tf.getKernel(kernelName, "wasm") === undefined)
      tf.registerKernel({
        kernelName,
        backendName: "wasm",
        kernelFunc: ({ inputs, backend, attrs }) =>
          runOn(backend, inputs, (run) => kernel(run, attrs as KernelAttributes & tf.NamedAttrMap)),
      });
}

/** Takes the kernels of `registerFusedKernels` out again: everything is composed of TensorFlow.js's operations as before. */
export function unregisterFusedKernels(): void {
  unshareClones();
  for (const [kernelName] of all)
    if (tf.getKernel(kernelName, "wasm") !== undefined) tf.unregisterKernel(kernelName, "wasm");
}
