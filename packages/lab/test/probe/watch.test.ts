// The account of a run's training steps between two measurements, against sums by hand.
import { expect, test } from "vitest";
import type { Inspector } from "../../src/probe/inspector.js";
import { Watch } from "../../src/probe/watch.js";

const inspector: Pick<Inspector, "shape" | "lossAt" | "layersAt"> = {
  shape: { imageSize: 1, patch: 1, classes: 2, width: 1, depth: 1, heads: 1, hidden: 1 },
  lossAt: async ([x]) => ({ loss: x! ** 2, gradient: Float32Array.of(2 * x!) }),
  layersAt: async () => [
    { gate: Float32Array.of(1), slope: Float32Array.of(1), factor: Float32Array.of(1), units: 1 },
  ],
};
const batch = { inputs: Float32Array.of(1), labels: Int32Array.of(1) };

const stateAt = (x: number, steps: number) => ({
  state: {
    parameters: Float32Array.of(x),
    firstMoment: Float32Array.of(0),
    secondMoment: Float32Array.of(0),
    steps,
  },
});

test("a point before the first step and after every tenth of the run, with the steps since the one before", async () => {
  const watch = new Watch(inspector, batch, 20);
  await watch.observe(stateAt(8, 0), 0);
  const norms = [4, 2, 2, 8];
  const places = [7, 5, 5, 2];
  for (const [i, norm] of norms.entries()) await watch.observe(stateAt(places[i]!, i + 1), i + 1, norm);
  expect(watch.points.map(({ step, loss }) => [step, loss])).toEqual([
    [0, 64],
    [2, 25],
    [4, 4],
  ]);
  expect(watch.points.map(({ training }) => training)).toEqual([
    null,
    { gradientNorm: 3, variation: expect.closeTo(Math.LN2 / 2, 12), stepLength: 1.5 }, // from 8 to 7 to 5
    { gradientNorm: 5, variation: expect.closeTo(Math.log(4) / 2, 12), stepLength: 1.5 }, // from 5 to 5 to 2
  ]);
});

test("a run of fewer than ten steps is measured after each", async () => {
  const watch = new Watch(inspector, batch, 3);
  for (let step = 0; step <= 3; step++)
    await watch.observe(stateAt(step, step), step, step === 0 ? undefined : 1);
  expect(watch.points.map(({ step }) => step)).toEqual([0, 1, 2, 3]);
});
