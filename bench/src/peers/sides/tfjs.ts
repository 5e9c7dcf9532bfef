// TensorFlow.js on its WebAssembly backend, which has threads in browsers, none in Node. The variant `grads` uses tf.grads.

import * as tf from "@tensorflow/tfjs";
import { getThreadsCount, setThreadsCount, version_wasm } from "@tensorflow/tfjs-backend-wasm";
import { leave } from "#here";
import { options, serve } from "../serve.js";
import { prepare } from "../tfjs.js";

const { threads } = options;
// Its build with threads where they are wanted, the other one for one thread.
tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", threads > 1);
if (threads > 1) {
  // It takes at most half of what the browser reports.
  Object.defineProperty(navigator, "hardwareConcurrency", { value: 2 * threads });
  setThreadsCount(threads);
}
await tf.setBackend("wasm");
await tf.ready();
if (tf.getBackend() !== "wasm") leave(`TensorFlow.js chose its ${tf.getBackend()} backend`);
if (threads > 1 && getThreadsCount() !== threads)
  leave(`TensorFlow.js has ${getThreadsCount()} threads, not ${threads}`);

await serve({ version: version_wasm }, async (task) => prepare(task, options.variant === "grads"));
