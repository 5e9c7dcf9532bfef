// What is peculiar to memory that belongs to TensorFlow.js: it grows under the kernels' feet, it must not fill up, and some
// builds may hide it.
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { activations, activationToJson, evaluate } from "../../src/index.js";
import { activationForward } from "../../src/tfjs/fused/activation.js";
import { runOn } from "../../src/tfjs/fused/workplace.js";
import { activate, gatedFfn, registerFusedKernels, unregisterFusedKernels } from "../../src/tfjs/index.js";
import { useBackend } from "./backends.js";
import {
  allocations,
  fusedRuns,
  guardMemory,
  hideMemory,
  memoryState,
  sharedBackend,
  withGrowth,
  withoutMemory,
} from "./fused-watch.js";

const { swiglu } = activations;

beforeAll(async () => {
  await useBackend("wasm");
  registerFusedKernels();
});
guardMemory();
afterAll(unregisterFusedKernels);

const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 0.3, "float32", seed);

/** A block and a training step of it, with its state in variables. */
function trainer([rows, dModel, dFf]: readonly [number, number, number]) {
  const weights = {
    gate: tf.variable(random([dModel, dFf], 1)),
    up: tf.variable(random([dModel, dFf], 2)),
    down: tf.variable(random([dFf, dModel], 3)),
    upBias: tf.variable(tf.zeros([dFf])),
  };
  const [x, target] = [random([rows, dModel], 4), random([rows, dModel], 5)];
  const beta = tf.variable(tf.scalar(1));
  const optimizer = tf.train.adam(0.01);
  const step = (): number =>
    tf.tidy(() => {
      const loss = optimizer.minimize(() => {
        const y = gatedFfn(swiglu, x, weights, { beta });
        const [gate, up] = tf.split(y, 2, 1) as [tf.Tensor, tf.Tensor];
        const [first, second] = tf.split(target, 2, 1) as [tf.Tensor, tf.Tensor];
        const gated = activate(swiglu, { gate, up });
        return tf.add(tf.mean(tf.squaredDifference(gated, first)), tf.mean(tf.squaredDifference(up, second)));
      }, true);
      return loss?.dataSync()[0] as number;
    });
  return { step, beta };
}

test("the same losses fused and composed, step by step, and beta trains", () => {
  const losses = (): number[] => {
    const { step, beta } = trainer([24, 20, 36]);
    const all = Array.from({ length: 40 }, step);
    expect(beta.dataSync()[0]).not.toBe(1);
    return all;
  };
  const fused = losses();
  unregisterFusedKernels();
  const composed = losses();
  registerFusedKernels();
  expect(fused.at(-1)).toBeLessThan(0.8 * (fused[0] as number));
  fused.forEach((loss, i) => {
    expect(Math.abs(loss - (composed[i] as number)), `step ${i}`).toBeLessThan(1e-4);
  });
});

test("200 training steps leave no tensor and no memory behind", () => {
  const { step } = trainer([17, 16, 40]);
  for (let i = 0; i < 5; i++) step();
  const before = { tensors: tf.memory().numTensors, bytes: tf.memory().numBytes, ...memoryState() };
  for (let i = 0; i < 200; i++) step();
  const after = { tensors: tf.memory().numTensors, bytes: tf.memory().numBytes, ...memoryState() };
  expect(after).toEqual(before);
  expect(after.scratch).toBe(0);
});

/** A block, its input and weights, and kernels called on them. */
function smallBlock() {
  const inputs = {
    x: random([13, 24], 1),
    gate: random([24, 40], 2),
    up: random([24, 40], 3),
    down: random([40, 24], 4),
    downBias: random([24], 5),
  };
  const attributes = {
    activation: JSON.stringify(activationToJson(swiglu)),
    parameters: { beta: 1.5 },
    training: true,
  };
  const engine = tf.engine();
  const dy = random([13, 24], 6);
  return (): Float32Array[] =>
    tf.tidy(() => {
      const [y, residual] = engine.runKernel<[tf.Tensor, tf.Tensor]>("SwigluFfn", inputs, attributes);
      const given = { ...inputs, dy, "residual.0": residual };
      const gradients = engine.runKernel<tf.Tensor[]>("SwigluFfnBackward", given, attributes);
      return [y, ...gradients].map((tensor) => tensor.dataSync<"float32">());
    });
}

test("results are right when the memory grows in the middle of a kernel, at any allocation", () => {
  const step = smallBlock();
  const expected = step();
  let allocation = 0;
  for (; allocation < 100; allocation += 7) {
    const { size } = memoryState();
    let results: Float32Array[] = [];
    const grew = withGrowth(allocation, () => {
      results = step();
    });
    expect(results).toEqual(expected);
    if (!grew) break;
    expect(memoryState().size).toBeGreaterThan(size);
  }
  expect(allocation).toBeGreaterThan(20);
});

test("full memory is an error that says so, at whichever allocation, and nothing is left over", () => {
  const step = smallBlock();
  step();
  const before = { allocations: allocations(), ...memoryState(), tensors: tf.memory().numTensors };
  const failing = () =>
    expect(step).toThrow(/do not fit into the memory of TensorFlow.js, which ends at 4 GiB/);
  for (let count = 0; count < 20; count++) expect(withoutMemory(count, failing)).toBe(true);
  expect({ allocations: allocations(), ...memoryState(), tensors: tf.memory().numTensors }).toEqual(before);
});

test("hidden memory: results by copies, and one sentence about it", () => {
  const [gate, up] = [random([5, 7], 1), random([5, 7], 2)];
  const slopes = () =>
    tf.tidy(() =>
      tf
        .grads((g: tf.Tensor, u: tf.Tensor) => activate(swiglu, { gate: g, up: u }))([gate, up])
        .map((t) => t.dataSync()),
    );
  const block = smallBlock();
  const direct = [slopes(), block()];
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  hideMemory(() => {
    expect(fusedRuns(slopes)).toHaveLength(2);
    expect([slopes(), block()]).toEqual(direct);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toMatch(/cannot be reached, so fused kernels copy/);
  });
  warn.mockRestore();
});

test("memory that several threads share, as in the threaded build, which grows", () => {
  const backend = sharedBackend();
  const numbers = (from: number) => Float32Array.from({ length: 1000 }, (_, i) => from + i / 300);
  const [gate, up] = [numbers(-2), numbers(1)];
  const inputs = { gate: backend.tensor(gate), up: backend.tensor(up) };
  const attributes = {
    activation: JSON.stringify(activationToJson(swiglu)),
    parameters: { beta: 1 },
    training: true,
  };
  const pages = backend.pages();
  const results = runOn(backend, inputs, (run) => {
    run.scratch.allocate(2 ** 18);
    activationForward(run, attributes);
  });
  expect(backend.pages()).toBeGreaterThan(pages);
  const [y] = results.map((tensor) => backend.read(tensor));
  y?.forEach((value, i) => {
    const wanted = evaluate(swiglu, { gate: gate[i] as number, up: up[i] as number });
    expect(Math.abs(value - wanted)).toBeLessThan(1e-6 * Math.abs(wanted) + 1e-12);
  });
  expect(y).toHaveLength(1000);
});
