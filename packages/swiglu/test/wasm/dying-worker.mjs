// A worker that ends in the middle of its first group: the pool's own worker, with kernels that are deadly.
// `death` is "exit" (the thread ends itself) or "silence" (it never comes back, as when it is terminated from outside).
import { workerData } from "node:worker_threads";

const { Instance } = WebAssembly;
WebAssembly.Instance = class {
  constructor(module, imports) {
    const names = Object.keys(new Instance(module, imports).exports);
    this.exports = Object.fromEntries(names.map((name) => [name, die]));
  }
};

function die() {
  if (workerData.death === "exit") process.exit(3);
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

await import("../../dist/wasm/threads/worker.js");
