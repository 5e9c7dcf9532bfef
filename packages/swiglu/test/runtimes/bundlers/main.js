// A user's program with threads, as bundlers and runtimes are given it: it says whether a worker came up, in a line of lines.ts.
import { swiglu, wasm } from "swiglu";

const say = (line) => console.log(JSON.stringify(line));

async function run() {
  const backend = await wasm({ threads: 2 });
  const x = new Float32Array(2 ** 18).fill(0.5);
  const { engine } = backend.parts;
  for (let turn = 0; turn < 500 && engine.helpers === 0; turn++) {
    backend.activateSync(swiglu, { gate: x, up: x });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const y = backend.activateSync(swiglu, { gate: x, up: x });
  const { threads } = backend;
  // 0.25 / (1 + e^-0.5), on either thread
  if (Math.abs(y[0] - 0.15561483) > 1e-7 || y.some((value) => value !== y[0])) throw new Error(`y is ${y}`);
  say({ kind: "backend", configuration: "", threads, helpers: engine.helpers });
  backend.dispose();
}

run()
  .catch((error) => say({ kind: "refused", configuration: "", error: String(error) }))
  .then(() => say({ kind: "end" }));
