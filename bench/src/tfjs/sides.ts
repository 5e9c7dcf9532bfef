// The three ways to compute the same in TensorFlow.js on its wasm backend, in one process: what users write today, this
// library's composed operations, and its fused kernels.
import * as tf from "@tensorflow/tfjs";
import { version_wasm } from "@tensorflow/tfjs-backend-wasm";
import { registerFusedKernels, unregisterFusedKernels } from "swiglu/tfjs";

export const sides = ["operations", "composed", "fused"] as const;
export type Side = (typeof sides)[number];

/** How each is called in tables. */
export const sideNames: { readonly [S in Side]: string } = {
  operations: "tf.matMul, tf.sigmoid, tf.mul under tf.grads",
  composed: "swiglu/tfjs, composed",
  fused: "swiglu/tfjs, fused kernels",
};

/** Switches kernels on for the fused side and off for the others, which then see an untouched TensorFlow.js. */
export function switchTo(side: Side): void {
  if (side === "fused") registerFusedKernels();
  else unregisterFusedKernels();
}

/** Starts the backend; returns the versions. */
export async function startWasm(): Promise<string> {
  await tf.setBackend("wasm");
  await tf.ready();
  if (tf.getBackend() !== "wasm") throw new Error(`TensorFlow.js chose its ${tf.getBackend()} backend`);
  return `TensorFlow.js ${tf.version_core} with its wasm backend ${version_wasm}`;
}
