// ort() on onnxruntime-node, with its operands in arrays that stay, as a training loop has them.
import * as runtime from "onnxruntime-node";
import { silu, swiglu } from "swiglu";
import { ort } from "swiglu/onnx";
import { type Case, elementwiseData, type FfnCase, ffnData } from "../peers/cases.js";
import { options, serve, type Work } from "../peers/serve.js";

const [math, activation] = (options.variant ?? "exact silu").split(" ");
const backend = await ort({
  runtime,
  threads: options.threads,
  math: math === "fast" ? "fast" : "exact",
});

async function elementwise({ kind, count }: Exclude<Case, FfnCase>): Promise<Work> {
  const { gate, up, dy } = elementwiseData(count);
  const [first, second] = [new Float32Array(count), new Float32Array(count)];
  if (kind === "forward")
    return {
      run: () => backend.activate(swiglu, { gate, up }, {}, { out: first }),
      results: () => [first],
    };
  const into = { out: { gate: first, up: second }, parameterGradients: false };
  return {
    run: () => backend.activateBackward(swiglu, { gate, up }, dy, {}, into),
    results: () => [first, second],
  };
}

async function block({ kind, rows, dModel, dFf, ...task }: FfnCase): Promise<Work> {
  const { x, dY, gate, up, down } = ffnData({ kind, rows, dModel, dFf, ...task });
  const weights = { gate, up, down };
  // As a gate, silu is swiglu whose beta is fixed: nobody asks for its gradient, as in the graph beside this.
  const ffn = await backend.gatedFfn({
    activation: activation === "swiglu" ? swiglu : silu,
    dModel,
    dFf,
    weights,
  });
  const like = (values: Float32Array): Float32Array => new Float32Array(values.length);
  if (kind === "ffnForward") {
    const y = like(x);
    return {
      run: () => ffn.forward(x, rows, { out: y }),
      results: () => [y],
      close: () => ffn.dispose(),
    };
  }
  const out = { x: like(x), gate: like(gate), up: like(up), down: like(down) };
  return {
    async run() {
      const pass = await ffn.record(x, rows);
      await pass.backward(dY, { out });
      pass.dispose();
    },
    results: () => Object.values(out),
    close: () => ffn.dispose(),
  };
}

await serve({ version: runtime.env.versions.node ?? "unknown" }, (task) =>
  "count" in task ? elementwise(task) : block(task),
);
