// A real model, model.fit with Adam on handwritten digits: the same losses step by step with fused kernels as composed.
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  GatedDense,
  GatedFfn,
  Glu,
  registerFusedKernels,
  registerLayers,
  Swish,
  unregisterFusedKernels,
} from "../../src/tfjs/index.js";
import { useBackend } from "./backends.js";
import { mnist } from "./mnist.js";

beforeAll(async () => {
  await useBackend("wasm");
  registerLayers();
});
afterAll(unregisterFusedKernels);

/** The losses of 60 steps, and the fused kernels that one of them ran. */
async function train(): Promise<{ losses: number[]; kernels: string[]; tensors: number[] }> {
  // Products of small numbers are smaller still: wider than usual, so that the signal lasts through them.
  const seeded = (seed: number) => tf.initializers.varianceScaling({ scale: 3, seed });
  const parameters = { beta: { trainable: true } } as const;
  const model = tf.sequential({
    layers: [
      new GatedDense({
        units: 40,
        inputShape: [784],
        parameters,
        gateKernelInitializer: seeded(1),
        upKernelInitializer: seeded(2),
      }),
      new GatedFfn({
        dFf: 27,
        useBias: true,
        gateKernelInitializer: seeded(3),
        upKernelInitializer: seeded(4),
        downKernelInitializer: seeded(5),
      }),
      new Glu({ activation: "geglu", layout: "interleaved" }),
      new Swish({ beta: { trainable: "per-channel" } }),
      tf.layers.dense({ units: 10, activation: "softmax", kernelInitializer: seeded(6) }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.001), loss: "categoricalCrossentropy" });
  const { images, labels } = mnist("train", 60 * 32);
  const losses: number[] = [];
  const tensors: number[] = [];
  const spy = vi.spyOn(tf.engine(), "runKernel");
  let kernels: string[] = [];
  await model.fit(images, labels, {
    batchSize: 32,
    epochs: 1,
    shuffle: false,
    verbose: 0,
    yieldEvery: "never",
    callbacks: {
      onBatchEnd: async (_, logs) => {
        losses.push(logs?.loss as number);
        tensors.push(tf.memory().numTensors);
        const all = spy.mock.calls.map(([name]) => name).filter((name) => name.startsWith("Swiglu"));
        if (losses.length === 1) kernels = [...new Set(all)].sort();
        spy.mockClear();
      },
    },
  });
  spy.mockRestore();
  return { losses, kernels, tensors };
}

test("60 steps with every kind of layer", async () => {
  unregisterFusedKernels();
  const composed = await train();
  expect(composed.kernels).toEqual([]);
  registerFusedKernels();
  const fused = await train();
  const names = ["SwigluActivation", "SwigluFfn", "SwigluGatedDense"];
  expect(fused.kernels).toEqual(names.flatMap((name) => [name, `${name}Backward`]));
  expect(fused.losses.at(-1)).toBeLessThan((fused.losses[0] as number) - 0.03);
  fused.losses.forEach((loss, step) => {
    expect(Math.abs(loss - (composed.losses[step] as number)), `step ${step}`).toBeLessThan(1e-4);
  });
  expect(new Set(fused.tensors.slice(3, 59)).size).toBe(1);
});
