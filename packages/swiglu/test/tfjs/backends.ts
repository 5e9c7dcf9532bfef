// The TensorFlow.js backends of these tests, and the adapter through which the shared suite sees `swiglu/tfjs`.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import type { Activation, ParameterValue } from "../../src/index.js";
import { activate, activatePacked, ffn, gatedFfn } from "../../src/tfjs/index.js";
import type { Adapter, AdapterInputs, Block, BlockAdapter } from "../conformance/adapters.js";

export const backends = ["cpu", "wasm"] as const;

/** Makes a backend the current one; fails where TensorFlow.js would quietly take another. */
export async function useBackend(name: string): Promise<void> {
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  await tf.setBackend(name);
  await tf.ready();
  if (tf.getBackend() !== name) throw new Error(`${name} is not available: ${tf.getBackend()} instead`);
}

type Values = Readonly<Record<string, ParameterValue>>;

/** Plain arrays as [rows, channels], so that per-channel parameters lie along the last axis. */
function tensorsOf(inputs: AdapterInputs, parameters: Values): tf.Tensor[] {
  const channels = Math.max(
    1,
    ...Object.values(parameters).map((value) => (typeof value === "number" ? 1 : value.length)),
  );
  const data =
    "packed" in inputs
      ? [tf.tensor(inputs.packed, [...inputs.shape])]
      : Object.values(inputs.arrays).map((array) => tf.tensor(array, [array.length / channels, channels]));
  return [...data, ...Object.values(parameters).map((value) => tf.tensor(value))];
}

function apply(
  activation: Activation,
  inputs: AdapterInputs,
  parameters: Values,
  tensors: tf.Tensor[],
): tf.Tensor {
  const count = "packed" in inputs ? 1 : activation.inputs.length;
  const values = Object.fromEntries(Object.keys(parameters).map((name, i) => [name, tensors[count + i]]));
  if ("packed" in inputs)
    return activatePacked(activation as Activation<"gated">, tensors[0] as tf.Tensor, inputs, values);
  return activate(
    activation,
    Object.fromEntries(activation.inputs.map((name, i) => [name, tensors[i]])) as never,
    values,
  );
}

/** `activate` and `activatePacked`, with parameters as tensors. */
export const adapter: Adapter = {
  value: (activation, inputs, parameters) =>
    tf.tidy(() => apply(activation, inputs, parameters, tensorsOf(inputs, parameters)).dataSync<"float32">()),
  gradients: (activation, inputs, dy, parameters) =>
    tf.tidy(() => {
      const tensors = tensorsOf(inputs, parameters);
      const y = apply(activation, inputs, parameters, tensors);
      const f = (...given: tf.Tensor[]) => apply(activation, inputs, parameters, given);
      const gradients = tf.grads(f)(tensors, tf.tensor(dy, y.shape));
      const names = ["packed" in inputs ? ["packed"] : activation.inputs, Object.keys(parameters)].flat();
      return Object.fromEntries(
        names.map((name, i) => {
          const data = (gradients[i] as tf.Tensor).dataSync<"float32">();
          return [name, typeof parameters[name] === "number" ? (data[0] as number) : data];
        }),
      );
    }),
};

/** x, the weights by name with their shapes, and the parameters, all as tensors. */
function blockTensors(block: Block, x: Float32Array, rows: number): tf.Tensor[] {
  const { dModel, dFf, weights, parameters } = block;
  const inner = (name: string): number =>
    name.startsWith("down") || name.startsWith("square") ? dFf : dModel;
  return [
    tf.tensor(x, [rows, dModel]),
    ...Object.entries(weights).map(([name, data]) =>
      name.endsWith("Bias") ? tf.tensor(data) : tf.tensor(data, [inner(name), data.length / inner(name)]),
    ),
    ...Object.values(parameters).map((value) => tf.tensor(value)),
  ];
}

function applyBlock(block: Block, tensors: tf.Tensor[]): tf.Tensor {
  const { activation, gated, dFf, weights, parameters, layout } = block;
  const names = [...Object.keys(weights), ...Object.keys(parameters)];
  const given = Object.fromEntries(names.map((name, i) => [name, tensors[i + 1] as tf.Tensor]));
  // The core repeats fewer channels over dFf; tensors are tiled for that.
  for (const name of Object.keys(parameters))
    if ((given[name] as tf.Tensor).rank === 1)
      given[name] = tf.tile(given[name] as tf.Tensor, [dFf / (given[name] as tf.Tensor).size]);
  const pick = (keys: object) =>
    Object.fromEntries(Object.keys(keys).map((name) => [name, given[name]])) as never;
  const x = tensors[0] as tf.Tensor;
  if (gated)
    return gatedFfn(activation, x, pick(weights), pick(parameters), layout === undefined ? {} : { layout });
  return ffn(activation as Activation<"unary">, x, pick(weights), pick(parameters));
}

/** `gatedFfn` and `ffn`, with parameters as tensors. */
export const blockAdapter: BlockAdapter = {
  value: (block, x, rows) =>
    tf.tidy(() => applyBlock(block, blockTensors(block, x, rows)).dataSync<"float32">()),
  gradients: (block, x, rows, dY) =>
    tf.tidy(() => {
      const f = (...tensors: tf.Tensor[]) => applyBlock(block, tensors);
      const gradients = tf.grads(f)(blockTensors(block, x, rows), tf.tensor(dY, [rows, block.dModel]));
      const names = ["x", ...Object.keys(block.weights), ...Object.keys(block.parameters)];
      return Object.fromEntries(
        names.map((name, i) => {
          const data = (gradients[i] as tf.Tensor).dataSync<"float32">();
          return [name, typeof block.parameters[name] === "number" ? (data[0] as number) : data];
        }),
      );
    }),
};
