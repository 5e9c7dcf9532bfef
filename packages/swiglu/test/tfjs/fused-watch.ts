// What tests of fused kernels look at: which kernels ran, what they left behind, and blocks as the shared suite sees them.
import * as tf from "@tensorflow/tfjs";
import { vi } from "vitest";
import { weightShapes } from "../../src/backend/ffn.js";
import type { ParameterValue } from "../../src/index.js";
import { activationToJson } from "../../src/index.js";
import { workplaceOf } from "../../src/tfjs/fused/workplace.js";
import type { Block, BlockAdapter } from "../conformance/adapters.js";

/** The fused kernels that some work runs, in order. */
export function fusedRuns(work: () => tf.TensorContainer): string[] {
  const spy = vi.spyOn(tf.engine(), "runKernel");
  try {
    tf.tidy(() => {
      work();
    });
    return spy.mock.calls.map(([name]) => name).filter((name) => name.startsWith("Swiglu"));
  } finally {
    spy.mockRestore();
  }
}

/** The size of the memory, and what of it kernels hold as scratch, in bytes. */
export function memoryState(): { readonly size: number; readonly scratch: number } {
  const { heap } = workplaceOf(tf.backend()).engine;
  return { size: heap.memory.buffer.byteLength, scratch: heap.bytesInUse };
}

/** A block's tensors: x, weights, and parameters, either as tensors or (`fixed`) as numbers where they are numbers. */
function blockCall({ activation, weights, parameters, gated, layout, ...size }: Block, fixed: boolean) {
  const form = layout ? "packed" : "in" in weights ? "selfGated" : gated ? "gated" : "ungated";
  const tensors: Record<string, tf.Tensor> = {};
  for (const [name, data] of Object.entries(weights))
    tensors[name] = tf.tensor(data, [...(weightShapes[form][name]?.(size.dModel, size.dFf) ?? [])]);
  const numbers: Record<string, number> = {};
  for (const [name, value] of Object.entries(parameters))
    if (fixed && typeof value === "number") numbers[name] = value;
    else tensors[`parameter.${name}`] = tf.tensor(value);
  const attributes = {
    activation: JSON.stringify(activationToJson(activation)),
    parameters: numbers,
    ...(layout ? { layout } : {}),
  };
  return { tensors, attributes };
}

/** `SwigluFfn` and its backward, called as kernels. Gradients of numbers are left out where they are `fixed`. */
export const blockKernels = (fixed: boolean): BlockAdapter => ({
  value: (block, x, rows) =>
    tf.tidy(() => {
      const { tensors, attributes } = blockCall(block, fixed);
      const inputs = { x: tf.tensor(x, [rows, block.dModel]), ...tensors };
      const [y] = tf.engine().runKernel<tf.Tensor[]>("SwigluFfn", inputs, { ...attributes, training: false });
      return (y as tf.Tensor).dataSync<"float32">();
    }),
  gradients: (block, x, rows, dY) =>
    tf.tidy(() => {
      const { tensors, attributes } = blockCall(block, fixed);
      const inputs = { x: tf.tensor(x, [rows, block.dModel]), ...tensors };
      const training = { ...attributes, training: true };
      const [, ...residuals] = tf.engine().runKernel<tf.Tensor[]>("SwigluFfn", inputs, training);
      const kept = Object.fromEntries(residuals.map((tensor, i) => [`residual.${i}`, tensor]));
      const given = { ...inputs, dy: tf.tensor(dY, [rows, block.dModel]), ...kept };
      const gradients = tf.engine().runKernel<tf.Tensor[]>("SwigluFfnBackward", given, training);
      const named = Object.keys(inputs).map((name, i): [string, ParameterValue] => {
        const data = (gradients[i] as tf.Tensor).dataSync<"float32">();
        const parameter = name.replace("parameter.", "");
        return [parameter, typeof block.parameters[parameter] === "number" ? (data[0] as number) : data];
      });
      return Object.fromEntries(named);
    }),
});
