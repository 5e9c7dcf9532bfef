// Answers with the milliseconds from `wasm()` to a first result of 4,096 elements, for a number of new backends.

import { swiglu, wasm } from "swiglu";
import { answer } from "#here";
import { elementwiseData } from "../cases.js";

const { gate, up } = elementwiseData(4096);
const times: number[] = [];
for (let i = 0; i < 25; i++) {
  const start = performance.now();
  const backend = await wasm({ threads: 1 });
  await backend.activate(swiglu, { gate, up });
  times.push(performance.now() - start);
  backend.dispose();
}
// The first warms the process.
answer(times.slice(1));
