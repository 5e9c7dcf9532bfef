// TensorFlow.js on its WebGPU backend. The variant `grads` uses tf.grads, as its users do.
import * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import "#gpu";
import { leave } from "#here";
import { options, serve } from "../../peers/serve.js";
import { prepare } from "../../peers/tfjs.js";
import { clockOf } from "../clock.js";
import { allDone, described } from "../device.js";

// It registers itself where it finds navigator.gpu, which has to be there before.
await import("@tensorflow/tfjs-backend-webgpu");
await tf.setBackend("webgpu");
await tf.ready();
if (tf.getBackend() !== "webgpu") leave(`TensorFlow.js chose its ${tf.getBackend()} backend`);
const backend = tf.backend() as WebGPUBackend;
const { device } = backend;
const clock = clockOf(device);
const submitted = allDone(device);
const settle = (): Promise<unknown> => {
  // It keeps the last kernels back.
  backend.endComputePassEncoder();
  backend.ensureCommandEncoderReady();
  backend.submitQueue();
  return submitted();
};

const hello = { version: tf.version.tfjs, adapter: described(device) };
await serve(hello, async (task) => {
  const work = prepare(task, options.variant === "grads");
  return typeof work === "string" ? work : { ...work, settle, clock };
});
