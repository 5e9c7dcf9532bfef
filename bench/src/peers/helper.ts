// A thread of a yardstick's crew: waits for a call, does its part, says so.
import { help } from "#here";
import { begun, callOf, done, instantiate, type Kernel, kernels, type Shared, waitWhile } from "./crew.js";

help<Shared>(({ code, memory, index }) => {
  const exports = instantiate(code, memory);
  const words = new Int32Array(memory.buffer, 0, 256);
  for (let seen = 0; ; seen++) {
    waitWhile(words, begun, seen);
    const [kernel = 0, a = 0, b = 0, c = 0, d = 0] = words.subarray(callOf(index), callOf(index) + 5);
    exports[kernels[kernel] as Kernel](a, b, c, d);
    Atomics.add(words, done, 1);
    Atomics.notify(words, done);
  }
});
