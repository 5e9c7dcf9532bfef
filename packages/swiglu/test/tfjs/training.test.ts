// A real model trained by model.fit on handwritten digits: it learns, its parameters train, and every backend gives the same losses.
import * as tf from "@tensorflow/tfjs";
import { describe, expect, test } from "vitest";
import { GatedDense, GatedFfn, Glu, registerLayers, SelfGated, Swish } from "../../src/tfjs/index.js";
import { backends, useBackend } from "./backends.js";
import { mnist } from "./mnist.js";

/** A small network with every layer, from seeded weights. */
function network(): tf.LayersModel {
  const seeded = (seed: number) => tf.initializers.glorotNormal({ seed });
  const dense = (units: number, seed: number) => tf.layers.dense({ units, kernelInitializer: seeded(seed) });
  const beta = { trainable: true } as const;
  const apply = (layer: tf.layers.Layer, ...inputs: tf.SymbolicTensor[]) =>
    layer.apply(inputs.length === 1 ? (inputs[0] as tf.SymbolicTensor) : inputs) as tf.SymbolicTensor;
  const input = tf.input({ shape: [784] });
  const a = apply(new Swish({ beta }), apply(dense(32, 1), input));
  const gated = new GatedDense({
    units: 32,
    parameters: { beta: { trainable: "per-channel" } },
    gateKernelInitializer: seeded(2),
    upKernelInitializer: seeded(3),
  });
  const b = apply(gated, a);
  const block = new GatedFfn({
    dFf: 24,
    activation: "geglu",
    gateKernelInitializer: seeded(4),
    upKernelInitializer: seeded(5),
    downKernelInitializer: seeded(6),
  });
  const c = apply(tf.layers.add(), a, b, apply(block, b));
  const d = apply(new SelfGated({ parameters: { beta }, kernelInitializer: seeded(7) }), c);
  const glu = new Glu({ activation: "swiglu", layout: "gate-second", parameters: { beta } });
  const e = apply(tf.layers.concatenate(), d, apply(glu, apply(dense(48, 8), d)));
  const outputs = apply(
    tf.layers.dense({ units: 10, activation: "softmax", kernelInitializer: seeded(9) }),
    e,
  );
  return tf.model({ inputs: input, outputs });
}

async function train() {
  const { images, labels } = mnist("train", 1920);
  const model = network();
  model.compile({ optimizer: tf.train.adam(0.006), loss: "categoricalCrossentropy", metrics: ["accuracy"] });
  const losses: number[] = [];
  const tensors: number[] = [];
  await model.fit(images, labels, {
    batchSize: 64,
    epochs: 2,
    shuffle: false,
    verbose: 0,
    callbacks: {
      onBatchEnd: async (_, logs) => {
        losses.push(logs?.loss as number);
        tensors.push(tf.memory().numTensors);
      },
    },
  });
  const unseen = mnist("t10k", 1000);
  const [, accuracy] = model.evaluate(unseen.images, unseen.labels) as tf.Scalar[];
  const betas = model.weights.filter(({ originalName }) => originalName.endsWith("beta"));
  const moved = betas.map((variable) => [...variable.read().dataSync()].some((value) => value !== 1));
  return { model, images, losses, tensors, accuracy: (accuracy as tf.Scalar).dataSync()[0] as number, moved };
}

describe("model.fit on handwritten digits with Adam", () => {
  const all: number[][] = [];
  test.each(backends)("on the %s backend", async (backend) => {
    await useBackend(backend);
    registerLayers();
    const { model, images, losses, tensors, accuracy, moved } = await train();
    all.push(losses);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(accuracy).toBeGreaterThan(0.75);
    expect(moved).toEqual([true, true, true, true]);
    // Adam's moments come with the first step; afterwards no tensor is left over.
    expect(new Set(tensors.slice(2, 29)).size).toBe(1);

    let artifacts: tf.io.ModelArtifacts = {};
    await model.save(
      tf.io.withSaveHandler(async (given) => {
        artifacts = given;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
      }),
    );
    const again = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
    const predictions = [model, again].map((each) => (each.predict(images) as tf.Tensor).dataSync());
    expect(predictions[1]).toEqual(predictions[0]);
  });

  test("the first 30 losses agree within 1e-4 across backends", () => {
    const [cpu, wasm] = all as [number[], number[]];
    cpu.slice(0, 30).forEach((loss, i) => {
      expect(Math.abs(loss - (wasm[i] as number)), `step ${i}`).toBeLessThan(1e-4);
    });
  });
});
