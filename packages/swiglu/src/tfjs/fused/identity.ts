// Clones without copies. TensorFlow.js clones every tensor that an operation keeps for its gradient, and its wasm backend, unlike
// the others, copies the numbers. Tensors never change, so a clone can share the numbers, as the result of a reshape does.
import * as tf from "@tensorflow/tfjs";

/** The part of every backend's interface that counts the tensors which share data. */
type Counting = Pick<tf.KernelBackend, "incRef">;

const config = { kernelName: "Identity", backendName: "wasm" } as const;
let original: tf.KernelConfig | undefined;

/** Lets clones share their data on the wasm backend, if that is loaded. */
export function shareClones(): void {
  const found = tf.getKernel(config.kernelName, config.backendName);
  if (original !== undefined || found === undefined) return;
  original = found;
  replaceBy({
    ...config,
    kernelFunc: (call) => {
      const { x } = call.inputs as { readonly x: tf.TensorInfo };
      if (x.dtype === "string") return found.kernelFunc(call);
      (call.backend as Counting).incRef(x.dataId);
      return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
    },
  });
}

/** Puts back what `shareClones` replaced. */
export function unshareClones(): void {
  if (original !== undefined) replaceBy(original);
  original = undefined;
}

function replaceBy(kernel: tf.KernelConfig): void {
  tf.unregisterKernel(config.kernelName, config.backendName);
  tf.registerKernel(kernel);
}
