// This library's WebAssembly backend, with its operands in resident tensors.
import { features } from "node:process";
import { swiglu, wasm } from "swiglu";
import { elementwiseData, ffnData } from "../cases.js";
import { options, serve } from "../serve.js";

const simd = options.variant === "relaxed" ? "relaxed" : "plain";
const backend = await wasm({ simd, threads: options.threads });
void features;

await serve({ version: "this checkout", features: `${simd} SIMD` }, async (task) => {
  if (backend.threads !== options.threads) return `has ${backend.threads} threads here`;
  if ("count" in task) {
    const { count } = task;
    const data = elementwiseData(count);
    const [gate, up, dy, out] = [data.gate, data.up, data.dy, new Float32Array(count)].map((values) =>
      backend.tensor(values, [count]),
    ) as [Tensor, Tensor, Tensor, Tensor];
    const close = (): void => {
      for (const tensor of [gate, up, dy, out]) tensor.dispose();
    };
    if (task.kind === "forward")
      return {
        run: () => backend.activateSync(swiglu, { gate, up }, {}, { out }),
        results: async () => [await out.read()],
        close,
      };
    let gradients = backend.activateBackwardSync(swiglu, { gate, up }, dy);
    return {
      run() {
        gradients = backend.activateBackwardSync(swiglu, { gate, up }, dy);
      },
      results: () => [gradients.gate, gradients.up],
      close,
    };
  }
});
