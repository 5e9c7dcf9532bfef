// Fused activations on the wasm backend's own memory: the shared suite within the design's bound, in inference and in training,
// with parameters as tensors and as numbers; and that they are used where they should be.
import * as tf from "@tensorflow/tfjs";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Activation, activations, gradient } from "../../src/index.js";
import { activate, registerFusedKernels, unregisterFusedKernels } from "../../src/tfjs/index.js";
import { adapterCases } from "../conformance/adapters.js";
import { adapter, useBackend } from "./backends.js";
import { fixedParameters, fusedRuns, guardMemory, memoryState } from "./fused-watch.js";

const { swiglu, reglu } = activations;

beforeAll(async () => {
  await useBackend("wasm");
  registerFusedKernels();
});
guardMemory();
afterEach(() => expect(memoryState().scratch).toBe(0));
afterAll(unregisterFusedKernels);

describe("fused, parameters as tensors", () => {
  for (const { name, skip, run } of adapterCases(adapter, { units: 1 })) test.skipIf(skip)(name, run);
});

describe("fused in training, parameters as numbers", () => {
  for (const { name, skip, run } of adapterCases(fixedParameters, { units: 1 })) test.skipIf(skip)(name, run);
});

describe("where kernels are registered", () => {
  const seeded = (seed: number): tf.Tensor => tf.randomNormal([3, 5], 0, 1, "float32", seed);
  const f = (gate: tf.Tensor, up: tf.Tensor): tf.Tensor => activate(swiglu, { gate, up });
  const step = () => tf.grads(f)([seeded(1), seeded(2)]);
  const kernels = ["SwigluActivation", "SwigluActivationBackward"];

  test("they run, and nothing else of this library's", () => {
    expect(fusedRuns(step)).toEqual(kernels);
    unregisterFusedKernels();
    expect(fusedRuns(step)).toEqual([]);
    registerFusedKernels();
    registerFusedKernels();
    expect(fusedRuns(step)).toEqual(kernels);
  });

  test("and on other backends nothing does", async () => {
    await useBackend("cpu");
    expect(fusedRuns(step)).toEqual([]);
    await useBackend("wasm");
    expect(fusedRuns(step)).toEqual(kernels);
  });

  test("clones share their numbers, and each is disposed on its own", () => {
    const x = tf.tensor1d([1, 2, 3]);
    const before = tf.memory();
    const copy = x.clone();
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
    x.dispose();
    expect([...copy.dataSync()]).toEqual([1, 2, 3]);
    copy.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors - 1);
    expect(tf.clone(tf.tensor1d(["a"])).dataSync<"string">()).toEqual(["a"]);
  });

  test("gradients of gradients are those of the composed form", () => {
    const [gate, up] = [seeded(1), seeded(2)];
    const slope = tf.grad((g: tf.Tensor) => f(g, up));
    const steepness = (g: tf.Tensor): tf.Tensor => tf.mul(slope(g), slope(g));
    const second = () => tf.tidy(() => tf.grad(steepness)(gate).dataSync());
    const fused = second();
    unregisterFusedKernels();
    const composed = second();
    registerFusedKernels();
    fused.forEach((value, i) => {
      expect(value).toBeCloseTo(composed[i] as number, 5);
    });
    expect(fused.some((value) => value !== 0)).toBe(true);
  });

  test("a cheap activation keeps nothing, an expensive one its slopes", () => {
    const tensors = (activation: Activation<"gated">): number => {
      const spy = vi.spyOn(tf.engine(), "runKernel");
      tf.tidy(() => tf.grads((gate, up) => activate(activation, { gate, up }))([seeded(1), seeded(2)]));
      const last = spy.mock.calls.findLast(([name]) => name === "SwigluActivationBackward");
      spy.mockRestore();
      return Object.keys(last?.[1] ?? {}).length;
    };
    expect(tensors(reglu)).toBe(3);
    expect(tensors(swiglu)).toBe(5);
  });
});

test("a number that changes with every step", () => {
  const [gate, up] = [tf.tensor1d([-1.5, 0.25, 3]), tf.tensor1d([2, -1, 0.5])];
  for (let step = 0; step < 20; step++) {
    const beta = 1 + step / 8;
    const slopes = tf.grads((gate, up) => activate(swiglu, { gate, up }, { beta }))([gate, up]);
    const [dGate, dUp] = slopes.map((slope) => slope.dataSync());
    for (const [i, g] of gate.dataSync().entries()) {
      const wanted = gradient(swiglu, { gate: g, up: up.dataSync()[i] as number }, { beta });
      expect(dGate?.[i]).toBeCloseTo(wanted.gate, 5);
      expect(dUp?.[i]).toBeCloseTo(wanted.up, 5);
    }
  }
});
