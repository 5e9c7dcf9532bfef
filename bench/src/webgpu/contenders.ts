// Who takes part.
import type { Side } from "../peers/contenders.js";

const one = [1];

export const copies = { buffer: "copy, copyBufferToBuffer", kernel: "copy, a kernel" };
export const unfused = "swiglu's pieces, unfused";

/** All contenders; the first is what others must agree with. */
export const onGpu: readonly Side[] = [
  { name: "swiglu, f32", script: "ours", variant: "f32", role: "ours", threads: one },
  { name: "swiglu, f16", script: "ours", variant: "f16", role: "ours", threads: one },
  { name: unfused, script: "ours", variant: "unfused", role: "peer", threads: one },
  { name: "tfjs-webgpu", script: "tfjs", role: "peer", threads: one },
  { name: "tfjs-webgpu, tf.grads", script: "tfjs", variant: "grads", role: "peer", threads: one },
  { name: "jax-js", script: "jax", role: "peer", threads: one },
  { name: "onnxruntime-web", script: "onnxruntime-web", role: "peer", threads: one, column: "Chromium" },
  { name: "onnxruntime-node", script: "onnxruntime-node", role: "peer", threads: one, column: "Node" },
  { name: copies.buffer, script: "copy", variant: "buffer", role: "yardstick", threads: one },
  { name: copies.kernel, script: "copy", variant: "kernel", role: "yardstick", threads: one },
];
