// This library's WebGPU backend with its operands in resident tensors: f32 or f16, fused as it comes, or one kernel after
// the other as a framework would.
import { type Data, swiglu, type WebgpuTensor, webgpu } from "swiglu";
import { type Case, elementwiseData, type FfnCase, ffnData } from "../../peers/cases.js";
import { options, serve, type Work } from "../../peers/serve.js";
import { clockOf } from "../clock.js";
import { allDone, described, openDevice } from "../device.js";
import { backwardSteps, forwardSteps } from "../unfused.js";

const device = await openDevice();
const { variant } = options;
const half = variant === "f16";
const possible = !half || device.features.has("shader-f16");
const backend = await webgpu({ device, precision: half && possible ? "f16" : "f32" });
const clock = clockOf(device);
const submitted = allDone(device);

/** Calls that follow one another without waiting: each has submitted its work before the next one begins. */
function queued(call: () => Promise<unknown>): Pick<Work, "run" | "settle" | "clock"> {
  let pending: Promise<unknown>[] = [];
  return {
    run() {
      pending.push(call());
    },
    async settle() {
      await Promise.all(pending.splice(0));
      pending = [];
      await submitted();
    },
    clock,
  };
}

const read = (tensors: readonly WebgpuTensor[]): Promise<Float32Array[]> =>
  Promise.all(tensors.map((tensor) => tensor.read()));
const dispose = (tensors: readonly { dispose(): void }[]): void => {
  for (const tensor of tensors) tensor.dispose();
};

function fused({ kind, count }: Exclude<Case, FfnCase>): Work {
  const data = elementwiseData(count);
  const tensor = (values: Float32Array) => backend.tensor(values, [count]);
  const [gate, up, dy] = [tensor(data.gate), tensor(data.up), tensor(data.dy)];
  const [first, second] = [tensor(new Float32Array(count)), tensor(new Float32Array(count))];
  const close = (): void => dispose([gate, up, dy, first, second]);
  if (kind === "forward")
    return {
      ...queued(() => backend.activate(swiglu, { gate, up }, {}, { out: first })),
      results: () => read([first]),
      close,
    };
  // Nobody else computes the gradient in beta.
  const options = { out: { gate: first, up: second }, parameterGradients: false };
  return {
    ...queued(() => backend.activateBackward(swiglu, { gate, up }, dy, {}, options)),
    results: () => read([first, second]),
    close,
  };
}

async function unfused({ kind, count }: Exclude<Case, FfnCase>): Promise<Work> {
  const tensors = new Map<string, WebgpuTensor>();
  const named = (name: string): WebgpuTensor => {
    const known = tensors.get(name) ?? backend.tensor(new Float32Array(count), [count]);
    tensors.set(name, known);
    return known;
  };
  for (const [name, values] of Object.entries(elementwiseData(count)))
    tensors.set(name, backend.tensor(values, [count]));
  const tensor = (name: string): Data => named(name);
  const runAll = (steps: typeof forwardSteps): Promise<unknown> =>
    Promise.all(steps.map((step) => step.run(backend, tensor)));
  await runAll(forwardSteps);
  const steps = kind === "forward" ? forwardSteps : backwardSteps;
  return {
    ...queued(() => runAll(steps)),
    results: () => read((kind === "forward" ? ["y"] : ["dGate", "dUp"]).map(named)),
    close: () => dispose([...tensors.values()]),
  };
}

async function block(task: FfnCase): Promise<Work> {
  const { kind, rows, dModel, dFf } = task;
  const data = ffnData(task);
  const { gate, up, down } = data;
  const ffn = await backend.gatedFfn({ activation: swiglu, dModel, dFf, weights: { gate, up, down } });
  const [x, dY] = [backend.tensor(data.x, [rows, dModel]), backend.tensor(data.dY, [rows, dModel])];
  const y = backend.tensor(new Float32Array(rows * dModel), [rows, dModel]);
  const close = (): void => dispose([ffn, x, dY, y]);
  if (kind === "ffnForward")
    return { ...queued(() => ffn.forward(x, rows, { out: y })), results: () => read([y]), close };
  const like = ({ length }: Float32Array) => backend.tensor(new Float32Array(length), [length]);
  const out = { x: like(data.x), gate: like(gate), up: like(up), down: like(down) };
  return {
    ...queued(async () => {
      const pass = await ffn.record(x, rows, { out: y });
      await pass.backward(dY, { out, parameterGradients: false });
      pass.dispose();
    }),
    results: () => read(Object.values(out)),
    close() {
      close();
      dispose(Object.values(out));
    },
  };
}

const hello = {
  version: "this checkout",
  features: [...device.features].filter((name) => /f16|subgroups|timestamp/.test(name)).join(", "),
  adapter: described(device),
  ...(half ? { tolerance: 0.02 } : {}),
};
await serve(hello, async (task) => {
  if (!possible) return "this adapter has no shader-f16";
  if ("count" in task) return variant === "unfused" ? unfused(task) : fused(task);
  return variant === "unfused" ? "no block" : block(task);
});
