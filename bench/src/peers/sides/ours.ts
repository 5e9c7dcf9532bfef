// This library's WebAssembly backend, with its operands in resident tensors.
import { swiglu, wasm } from "swiglu";
import { type Case, elementwiseData, type FfnCase, ffnData } from "../cases.js";
import { options, serve, type Work } from "../serve.js";

const simd = options.variant === "relaxed" ? "relaxed" : "plain";
const backend = await wasm({ simd, threads: options.threads }).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});

function elementwise({ kind, count }: Exclude<Case, FfnCase>): Work {
  const data = elementwiseData(count);
  const tensor = (values: Float32Array) => backend.tensor(values, [count]);
  const [gate, up, dy] = [tensor(data.gate), tensor(data.up), tensor(data.dy)];
  const [first, second] = [tensor(new Float32Array(count)), tensor(new Float32Array(count))];
  const close = (): void => {
    for (const each of [gate, up, dy, first, second]) each.dispose();
  };
  if (kind === "forward")
    return {
      run: () => backend.activateSync(swiglu, { gate, up }, {}, { out: first }),
      results: async () => [await first.read()],
      close,
    };
  const out = { gate: first, up: second };
  return {
    run: () => backend.activateBackwardSync(swiglu, { gate, up }, dy, {}, { out }),
    results: () => Promise.all([first.read(), second.read()]),
    close,
  };
}

async function block(task: FfnCase): Promise<Work> {
  const { kind, rows, dModel, dFf } = task;
  const { x, dY, gate, up, down } = ffnData(task);
  const ffn = await backend.gatedFfn({ activation: swiglu, dModel, dFf, weights: { gate, up, down } });
  const resident = { x: backend.tensor(x, [rows, dModel]), dY: backend.tensor(dY, [rows, dModel]) };
  const close = (): void => {
    for (const each of [ffn, resident.x, resident.dY]) each.dispose();
  };
  if (kind === "ffnForward") {
    let y = await ffn.forward(resident.x, rows);
    return {
      async run() {
        y = await ffn.forward(resident.x, rows);
      },
      results: () => [y],
      close,
    };
  }
  const step = async () => {
    const pass = await ffn.record(resident.x, rows);
    const gradients = await pass.backward(resident.dY);
    pass.dispose();
    return gradients;
  };
  let gradients = await step();
  return {
    async run() {
      gradients = await step();
    },
    results: () => [gradients.x, gradients.gate, gradients.up, gradients.down],
    close,
  };
}

await serve({ version: "this checkout", features: `${simd} SIMD` }, async (task) => {
  if (backend.threads !== options.threads) return `has ${backend.threads} threads, not ${options.threads}`;
  return "count" in task ? elementwise(task) : block(task);
});
backend.dispose();
