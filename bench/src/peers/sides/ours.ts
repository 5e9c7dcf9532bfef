// This library's WebAssembly backend, with its operands in resident tensors.

import { swiglu, wasm } from "swiglu";
import { leave } from "#here";
import { type Case, elementwiseData, type FfnCase, ffnData } from "../cases.js";
import { options, serve, type Work } from "../serve.js";

const simd = options.variant === "relaxed" ? "relaxed" : "plain";
const backend = await wasm({ simd, threads: options.threads }).catch((error: Error) => leave(error.message));

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
  // Nobody else computes the gradient in beta.
  const options = { out: { gate: first, up: second }, parameterGradients: false };
  return {
    run: () => backend.activateBackwardSync(swiglu, { gate, up }, dy, {}, options),
    results: () => Promise.all([first.read(), second.read()]),
    close,
  };
}

async function block(task: FfnCase): Promise<Work> {
  const { kind, rows, dModel, dFf } = task;
  const data = ffnData(task);
  const { gate, up, down } = data;
  const ffn = await backend.gatedFfn({ activation: swiglu, dModel, dFf, weights: { gate, up, down } });
  const [x, dY] = [backend.tensor(data.x, [rows, dModel]), backend.tensor(data.dY, [rows, dModel])];
  const y = backend.tensor(new Float32Array(rows * dModel), [rows, dModel]);
  const close = (): void => {
    for (const each of [ffn, x, dY, y]) each.dispose();
  };
  if (kind === "ffnForward")
    return {
      run: () => ffn.forward(x, rows, { out: y }),
      results: async () => [await y.read()],
      close,
    };
  const like = (values: Float32Array): Float32Array => new Float32Array(values.length);
  const out = { x: like(data.x), gate: like(gate), up: like(up), down: like(down) };
  return {
    async run() {
      const pass = await ffn.record(x, rows);
      await pass.backward(dY, { out });
      pass.dispose();
    },
    results: () => Object.values(out),
    close,
  };
}

await serve({ version: "this checkout", features: `${simd} SIMD` }, async (task) => {
  if (backend.threads !== options.threads) return `has ${backend.threads} threads, not ${options.threads}`;
  return "count" in task ? elementwise(task) : block(task);
});
