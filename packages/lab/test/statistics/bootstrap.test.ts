// The bootstrap against cases whose distribution is known: all resamples listed, and the normal theory of ratios.
import { describe, expect, test } from "vitest";
import { stream } from "../../src/data/random.js";
import { bootstrapInterval, bootstrapMeans } from "../../src/statistics/inference/bootstrap.js";
import { varianceOf } from "../../src/statistics/inference/estimate.js";
import type { TestPart } from "../../src/tasks/common/task.js";

const each = (count: number): TestPart => ({
  weights: new Int32Array(count).fill(1),
  clusters: Int32Array.from({ length: count }, (_, i) => i),
});

test("seeds alone: the means of all 27 resamples of three seeds, as often as they should be", () => {
  const runs = [0, 1, 5].map((loss) => Float32Array.of(loss, loss));
  const [means] = bootstrapMeans([runs], each(2), { resamples: 27_000 });
  const counts = new Map<number, number>();
  for (const mean of means!) counts.set(Math.round(3 * mean), (counts.get(Math.round(3 * mean)) ?? 0) + 1);
  const expected = new Map<number, number>();
  for (const a of [0, 1, 5])
    for (const b of [0, 1, 5])
      for (const c of [0, 1, 5]) expected.set(a + b + c, (expected.get(a + b + c) ?? 0) + 1000);
  expect([...counts.keys()].sort()).toEqual([...expected.keys()].sort());
  let chiSquared = 0;
  for (const [sum, count] of expected) chiSquared += (counts.get(sum)! - count) ** 2 / count;
  expect(chiSquared).toBeLessThan(27.9); // 9 degrees of freedom, 99.9 %
});

test("examples alone: the variance of a ratio of sums over clusters, by the delta method", () => {
  const random = stream(3, "examples");
  const uniform = (): number => (random.next() >>> 0) / 2 ** 32;
  const clusters = Int32Array.from({ length: 1200 }, (_, i) => Math.floor(i / 4));
  const weights = Int32Array.from(clusters, () => 1 + Math.floor(20 * uniform()));
  const shared = Array.from({ length: 300 }, () => 2 + uniform());
  const run = Float32Array.from(clusters, (cluster, i) => weights[i]! * (shared[cluster]! + uniform()));
  const [means] = bootstrapMeans([[run, run]], { weights, clusters });
  const sums = shared.map((_, c) => {
    const own = [0, 1, 2, 3].map((i) => 4 * c + i);
    return {
      loss: own.reduce((sum, i) => sum + run[i]!, 0),
      weight: own.reduce((sum, i) => sum + weights[i]!, 0),
    };
  });
  const total = sums.reduce((sum, { weight }) => sum + weight, 0);
  const ratio = sums.reduce((sum, { loss }) => sum + loss, 0) / total;
  const expected = sums.reduce((sum, { loss, weight }) => sum + (loss - ratio * weight) ** 2, 0) / total ** 2;
  const values = Array.from(means!);
  expect(values.reduce((a, b) => a + b, 0) / values.length).toBeCloseTo(ratio, 2);
  expect(varianceOf(values) / expected).toBeGreaterThan(0.88); // 2,000 resamples: +- 3.2 % at one standard error
  expect(varianceOf(values) / expected).toBeLessThan(1.12);
});

test("seeds and examples are crossed: their variances add", () => {
  const random = stream(4, "crossed");
  const uniform = (): number => (random.next() >>> 0) / 2 ** 32;
  const easy = Array.from({ length: 400 }, uniform);
  const seeds = Array.from({ length: 10 }, () => 0.1 * uniform());
  const runs = seeds.map((seed) => Float32Array.from(easy, (loss) => loss + seed));
  const [means] = bootstrapMeans([runs], each(400));
  const spread = (values: readonly number[]): number =>
    ((values.length - 1) / values.length) * (varianceOf(values) / values.length);
  const ratio = varianceOf(Array.from(means!)) / (spread(easy) + spread(seeds));
  expect(ratio).toBeGreaterThan(0.88);
  expect(ratio).toBeLessThan(1.12);
});

describe("differences", () => {
  const random = stream(5, "differences");
  const uniform = (): number => (random.next() >>> 0) / 2 ** 32;
  const base = Array.from({ length: 8 }, () => Float32Array.from({ length: 100 }, uniform));
  const shifted = base.map((run) => run.map((loss) => loss - 0.25));

  test("are paired: what both share cancels", () => {
    const [a, b] = bootstrapMeans([shifted, base], each(100));
    const { low, high } = bootstrapInterval(a!, b!, 8);
    expect(low).toBeCloseTo(-0.25, 6);
    expect(high).toBeCloseTo(-0.25, 6);
  });

  test("repeat themselves, and change with the seed", () => {
    const [a] = bootstrapMeans([base], each(100), { resamples: 10 });
    expect(bootstrapMeans([base], each(100), { resamples: 10 })[0]).toEqual(a);
    expect(bootstrapMeans([base], each(100), { resamples: 10, seed: 2 })[0]).not.toEqual(a);
  });

  test("the levels allow for few seeds: with ten, 0.86 % to either side instead of 2.5 %", () => {
    // Phi(-2.262157 sqrt(10 / 9)) = Phi(-2.384523) = 0.008551
    const values = Float64Array.from({ length: 100_001 }, (_, i) => i);
    const { low, high } = bootstrapInterval(values, new Float64Array(100_001), 10);
    expect(low).toBeCloseTo(855.1, 0);
    expect(low + high).toBeCloseTo(100_000, 6);
  });
});

test("intervals of ten seeds' differences hold the truth about as often as they say", () => {
  const random = stream(9, "coverage");
  const uniform = (): number => ((random.next() >>> 0) + 0.5) / 2 ** 32;
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  let covered = 0;
  for (let repetition = 0; repetition < 200; repetition++) {
    const own = Array.from({ length: 10 }, () => {
      const seed = 0.05 * normal();
      return Float32Array.from({ length: 100 }, () => seed + 0.1 * normal());
    });
    const other = own.map(({ length }) => new Float32Array(length));
    const [a, b] = bootstrapMeans([own, other], each(100), { resamples: 500, seed: repetition });
    const { low, high } = bootstrapInterval(a!, b!, 10);
    if (low < 0 && high > 0) covered++;
  }
  expect(covered).toBeGreaterThan(180); // 190 expected; the plain percentile interval would have 180
  expect(covered).toBeLessThanOrEqual(198);
});

test("losses of another test part are refused", () => {
  expect(() => bootstrapMeans([[new Float32Array(3)]], each(4))).toThrow(
    "a run has the losses of 3 test examples, but there are 4",
  );
});
