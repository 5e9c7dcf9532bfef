// Losses at equal cost: read off the validation curves at the right step, with the operations and times that were made up here.
import { activations } from "swiglu";
import { expect, test } from "vitest";
import { flopsPerStep } from "../src/model/flops.js";
import type { FinishedRun } from "../src/records/record.js";
import { describeMatched, matchCosts } from "../src/statistics/matched.js";
import { configOf, diverged, finished } from "./records.js";

/** A run of 100 steps whose validation loss is `start` at step 10 and falls by `start / 20` every ten steps. */
const run = (variant: string, seed: number, cpuSeconds: number, start: number): FinishedRun => ({
  ...finished(variant, seed, 0.9),
  cpuSeconds,
  validationCurve: Array.from({ length: 10 }, (_, i) => ({ step: 10 * (i + 1), loss: start * (1 - i / 20) })),
});

const config = configOf(["relu", "selfGlu", "tanh"], [1, 2, 3]);
const seeds = [1, 2, 3];
const records = [
  ...seeds.map((seed) => run("relu", seed, [1, 2, 50][seed - 1]!, seed)),
  ...seeds.map((seed) => run("selfGlu", seed, 2.5, 2 * seed)),
  ...seeds.map((seed) => diverged("tanh", seed)),
];
const matched = matchCosts(config, records)!;

test("the median run says what a step takes, and the model what it computes", () => {
  expect(matched.variants.map(({ name, cpuSecondsPerStep }) => [name, cpuSecondsPerStep])).toEqual([
    ["relu", 0.02],
    ["selfGlu", 0.025],
  ]);
  const shape = { imageSize: 8, classes: 4, patch: 4, width: 8, depth: 1, heads: 2, hidden: 32 };
  const flops = flopsPerStep({ name: "selfGlu", activation: activations.selfGlu, trained: false }, shape, 32);
  expect(matched.variants[1]!.flopsPerStep).toBe(flops);
  expect(matched.flops).toBe(100 * matched.variants[0]!.flopsPerStep);
  expect(matched.cpuSeconds).toBe(2);
});

test("the cheapest is read off at its end, the others before it, between the points of their curves", () => {
  const [relu, selfGlu] = matched.variants;
  // The mean of the seeds' starts is 2, and 4; an end is at 55 % of the start.
  expect(relu!.atEnd.mean).toBeCloseTo(1.1, 12);
  expect([relu!.atEqualFlops, relu!.atEqualTime]).toEqual([relu!.atEnd, relu!.atEnd]);
  expect(selfGlu!.atEnd.mean).toBeCloseTo(2.2, 12);
  expect(selfGlu!.atEqualTime!.mean).toBeCloseTo(4 * (1 - 7 / 20), 12); // at step 80
  const step = (100 * relu!.flopsPerStep) / selfGlu!.flopsPerStep;
  expect(selfGlu!.atEqualFlops!.mean).toBeCloseTo(4 * (1 - (step - 10) / 200), 12);
  expect(selfGlu!.atEqualTime!.half).toBeGreaterThan(0);
});

test("what costs more than ten times as much has no loss at that cost", () => {
  const slow = matchCosts(config, [run("relu", 1, 1, 1), run("selfGlu", 1, 11, 1)])!;
  expect(slow.variants[1]!.atEqualTime).toBeNull();
});

test("nothing to compare with fewer than two variants that finished", () => {
  expect(matchCosts(config, [run("relu", 1, 1, 1), diverged("selfGlu", 1)])).toBeUndefined();
});

test("in words: who is cheapest, what is not counted, and what the schedule does", () => {
  const text = describeMatched(matched).join(" ");
  expect(text).toContain("relu in floating-point operations, relu in processor time");
  expect(text).toMatch(/elementwise work is left out/);
  expect(text).toMatch(/read off before the rate has fallen/);
});
