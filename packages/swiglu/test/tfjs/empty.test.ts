// A batch of no rows in layers and in gradients of gradients: zeros, whatever TensorFlow.js's memory held before. The shared
// suites have the functions.
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silu, swiglu } from "../../src/index.js";
import {
  activate,
  GatedDense,
  GatedFfn,
  Glu,
  gatedDense,
  registerFusedKernels,
  SelfGated,
  Swish,
  unregisterFusedKernels,
} from "../../src/tfjs/index.js";
import { useBackend } from "./backends.js";

/** Leaves memory that holds a number behind, of every size that is used below. */
function poison(): void {
  for (const size of [1, 3, 4, 12, 16, 64])
    tf.dispose(Array.from({ length: 20 }, () => tf.fill([size], 12345)));
}

const zeros = (tensor: tf.Tensor): boolean => tensor.dataSync().every((value) => value === 0);

const layers: Readonly<Record<string, () => tf.layers.Layer>> = {
  Swish: () => new Swish({ beta: { trainable: "per-channel" } }),
  Glu: () =>
    new Glu({ activation: "swiglu", layout: "gate-second", parameters: { beta: { trainable: true } } }),
  GatedDense: () => new GatedDense({ units: 3, parameters: { beta: { trainable: true } } }),
  SelfGated: () => new SelfGated({ parameters: { beta: { trainable: true } } }),
  GatedFfn: () => new GatedFfn({ dFf: 3, useBias: true, parameters: { beta: { trainable: "per-channel" } } }),
};

describe.each(["cpu", "wasm", "wasm, fused"])("no rows on the %s backend", (name) => {
  beforeAll(async () => {
    await useBackend(name.split(",")[0] as string);
    if (name.endsWith("fused")) registerFusedKernels();
  });
  afterAll(() => unregisterFusedKernels());

  test.each(Object.keys(layers))("%s: no output, every weight's gradient is 0", (layer) => {
    for (const shape of [
      [0, 4],
      [0, 2, 4],
      [2, 0, 4],
    ]) {
      const made = (layers[layer] as () => tf.layers.Layer)();
      // Once with rows, so that weights are there.
      (made.apply(tf.ones(shape.map((size) => size || 2))) as tf.Tensor).dataSync();
      poison();
      const { value, grads } = tf.variableGrads(() =>
        (made.apply(tf.zeros(shape)) as tf.Tensor).mul(2).sum().mul(0).add(1).asScalar(),
      );
      expect(value.dataSync()[0]).toBe(1);
      expect(Object.keys(grads).length).toBe(made.trainableWeights.length);
      for (const [weight, gradient] of Object.entries(grads))
        expect([weight, zeros(gradient)]).toEqual([weight, true]);
    }
  });

  test("second derivatives, and those in parameters, are 0", () => {
    poison();
    const beta = tf.tensor1d([0.5, 1, 2]);
    const empty = tf.zeros([0, 3]);
    const first = (beta: tf.Tensor) =>
      tf.grad((b) => activate(swiglu, { gate: empty, up: empty }, { beta: b }))(beta, empty);
    expect(zeros(first(beta))).toBe(true);
    expect(zeros(tf.grad(first)(beta, tf.ones([3])))).toBe(true);
    expect(tf.grad(tf.grad((x) => activate(silu, { x })))(empty).shape).toEqual([0, 3]);
  });

  test("a product over no columns is its bias", () => {
    poison();
    const weights = {
      gate: tf.zeros([0, 4]),
      up: tf.zeros([0, 4]),
      gateBias: tf.ones([4]),
      upBias: tf.fill([4], 2),
    };
    const y = gatedDense(swiglu, tf.zeros([3, 0]), weights);
    expect(y.shape).toEqual([3, 4]);
    // 1 / (1 + e^-1) * 2
    for (const value of y.dataSync()) expect(value).toBeCloseTo(2 / (1 + Math.exp(-1)), 6);
  });
});
