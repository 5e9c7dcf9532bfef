// The analysis of whole sweeps: which comparisons are made, what becomes of runs that diverged or are missing, the verdicts.
import { describe, expect, test } from "vitest";
import { type RunRecord, textOfLosses } from "../../src/records/record.js";
import { analyse, type Verdict } from "../../src/statistics/analysis.js";
import { benjaminiHochberg } from "../../src/statistics/inference/benjamini-hochberg.js";
import { configOf, diverged, finished } from "../records.js";

const part = { weights: Int32Array.of(1, 1, 1, 1), clusters: Int32Array.of(0, 1, 2, 3) };
const seeds = [1, 2, 3, 4, 5];

/** Runs of each variant with these losses, seed by seed. */
const sweep = (losses: Readonly<Record<string, readonly number[]>>): RunRecord[] =>
  Object.entries(losses).flatMap(([variant, values]) =>
    values.map((loss, i) => finished(variant, i + 1, 1 - loss)),
  );

const noise = [0.3, -0.7, 0.5, -0.4, 0.3];
const around = (mean: number, spread: number): number[] => noise.map((value) => mean + spread * value);
const analysed = (losses: Readonly<Record<string, readonly number[]>>) =>
  analyse(configOf(Object.keys(losses), seeds), sweep(losses), part)!;

describe("the words", () => {
  // Both rivals at a loss of about 0.5: the margin is 0.005.
  const level = [0.5, 0.501, 0.499, 0.502, 0.498];
  test.each<[Verdict, number, number]>([
    ["better", -0.02, 0.004],
    ["worse", 0.02, 0.004],
    ["better, by less than the margin", -0.003, 0.001],
    ["worse, by less than the margin", 0.003, 0.001],
    ["equivalent within the margin", 0.0001, 0.004],
    ["not distinguishable at this scale", 0.004, 0.02],
  ])("%s: a difference of %d, spread %d", (verdict, difference, spread) => {
    const swiglu = level.map((loss, i) => loss + difference + spread * noise[i]!);
    const [loss, accuracy] = analysed({ swish: level, swiglu }).outcomes;
    expect(loss!.primary.map((each) => each.verdict)).toEqual([verdict]);
    expect([loss!.outcome, loss!.role, accuracy!.outcome, accuracy!.role]).toEqual([
      "loss",
      "primary",
      "accuracy",
      "secondary",
    ]);
    // Accuracy is 1 - loss here, but its margin is a quarter of a point.
    expect(accuracy!.primary[0]!.difference.mean).toBeCloseTo(-loss!.primary[0]!.difference.mean, 12);
    expect(accuracy!.primary[0]!.equivalence.margin).toBe(0.0025);
  });
});

describe("the comparisons", () => {
  const losses = {
    relu: around(0.5, 0.01),
    swish: [0.49, 0.5, 0.51, 0.48, 0.5],
    glu: [0.47, 0.49, 0.48, 0.5, 0.47],
    swiglu: around(0.46, 0.02),
    geglu: around(0.465, 0.03),
  };
  const { outcomes, incomplete } = analysed(losses);
  const [loss] = outcomes;

  test("primary: swiglu against swish and glu; exploratory: all others against relu and swiglu, each once", () => {
    const pairs = (list: readonly { variant: string; reference: string }[]) =>
      list.map(({ variant, reference }) => `${variant}-${reference}`);
    expect(pairs(loss!.primary)).toEqual(["swiglu-swish", "swiglu-glu"]);
    expect(pairs(loss!.exploratory)).toEqual([
      "swish-relu",
      "glu-relu",
      "swiglu-relu",
      "geglu-relu",
      "geglu-swiglu",
    ]);
    expect(incomplete).toEqual([]);
  });

  test("Dunnett's intervals come from the residual of all variants: k = 2, 16 degrees of freedom: 2.42 (Dunnett 1964)", () => {
    const values = Object.values(losses);
    const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
    const grand = mean(values.flat());
    const residual = values.flatMap((own) =>
      own.map((value, i) => value - mean(own) - mean(values.map((other) => other[i]!)) + grand),
    );
    const meanSquare = residual.reduce((sum, value) => sum + value ** 2, 0) / 16;
    const { difference, interval } = loss!.primary[0]!.dunnett;
    expect(difference).toBeCloseTo(mean(losses.swiglu) - mean(losses.swish), 12);
    const half = (interval.high - interval.low) / 2;
    expect((half / Math.sqrt((2 * meanSquare) / 5)).toFixed(2)).toBe("2.42");
    expect(loss!.anova.residual.df).toBe(16);
  });

  test("exploratory p-values are corrected together", () => {
    const p = loss!.exploratory.map(({ difference }) => difference.p);
    expect(loss!.exploratory.map(({ adjustedP }) => adjustedP)).toEqual(benjaminiHochberg(p));
  });

  test("per cent, seeds and test noise", () => {
    const { means, percent, difference, seedsNeeded, withTestNoise } = loss!.primary[1]!;
    expect(percent).toBeCloseTo((100 * (means.variant - means.reference)) / means.reference, 10);
    expect(seedsNeeded.forDifference).toBeGreaterThan(1);
    expect(withTestNoise!.low).toBeLessThan(difference.mean);
    expect(withTestNoise!.high).toBeGreaterThan(difference.mean);
    expect(outcomes[1]!.primary[1]!.withTestNoise).toBeNull();
  });

  test("swiglu is no subject where it is missing, and no variant is compared with itself", () => {
    const { outcomes } = analysed({ swish: losses.swish, glu: losses.glu });
    expect(outcomes[0]!.primary).toEqual([]);
    expect(outcomes[0]!.exploratory.map(({ variant, reference }) => [variant, reference])).toEqual([
      ["glu", "swish"],
    ]);
    const first = analysed({ swiglu: losses.swiglu, geglu: losses.geglu });
    expect(first.outcomes[0]!.exploratory).toHaveLength(1);
  });
});

describe("runs that did not finish", () => {
  const losses = { swish: [0.5, 0.51, 0.52, 0.5, 0.51], swiglu: [0.4, 0.41, 0.42, 0.4, 0.41] };
  const config = configOf(Object.keys(losses), seeds);
  const records = sweep(losses);

  test("a run that diverged counts as the worst of the sweep, and is named", () => {
    const {
      seeds: blocks,
      diverged: named,
      outcomes,
    } = analyse(
      config,
      [...records.filter(({ variant, seed }) => variant !== "swiglu" || seed !== 2), diverged("swiglu", 2)],
      part,
    )!;
    expect(blocks).toEqual(seeds);
    expect(named).toEqual([{ variant: "swiglu", seed: 2 }]);
    // swiglu's second loss is 0.52, the worst, in place of 0.41.
    expect(outcomes[0]!.primary[0]!.means.variant).toBeCloseTo((0.4 + 0.52 + 0.42 + 0.4 + 0.41) / 5, 12);
    expect(outcomes[1]!.primary[0]!.means.variant).toBeCloseTo(1 - (0.4 + 0.52 + 0.42 + 0.4 + 0.41) / 5, 12);
  });

  test("a seed that lacks a run is left out, and below three there is no analysis", () => {
    const some = records.filter(({ variant, seed }) => variant !== "swiglu" || seed > 1);
    expect(analyse(config, some, part)).toMatchObject({ seeds: [2, 3, 4, 5], incomplete: [1] });
    expect(
      analyse(
        config,
        some.filter(({ seed }) => seed < 4),
        part,
      ),
    ).toBeNull();
    expect(analyse(configOf(["swish"], seeds), records, part)).toBeNull();
  });

  test("there is none when every run diverged", () => {
    const all = seeds.flatMap((seed) => [diverged("swish", seed), diverged("swiglu", seed)]);
    expect(analyse(config, all, part)).toBeNull();
  });
});

test("losses that are all zero leave nothing to compare, and no value that JSON cannot hold", () => {
  const none = analysed({ relu: [0, 0, 0, 0, 0], swiglu: [0, 0, 0, 0, 0] });
  expect(JSON.parse(JSON.stringify(none))).toEqual(none);
  expect(none.outcomes[0]!.exploratory[0]).toMatchObject({ percent: null, adjustedP: 1 });
});

test("the mean loss weighs examples by their tokens", () => {
  const tokens = { weights: Int32Array.of(10, 30, 40), clusters: Int32Array.of(0, 0, 1) };
  const run = (variant: string, seed: number, loss: number): RunRecord => ({
    ...finished(variant, seed, 0.5),
    test: { loss: loss / 40, bitsPerByte: loss / 80 },
    testLosses: textOfLosses(Float32Array.of(0, loss, loss)),
  });
  const config = { ...configOf(["relu", "swiglu"], [1, 2, 3]), task: "language" as const };
  const records = [1, 2, 3].flatMap((seed) => [run("relu", seed, 80), run("swiglu", seed, 60)]);
  const { withTestNoise } = analyse(config, records, tokens)!.outcomes[0]!.exploratory[0]!;
  expect(withTestNoise!.low).toBeCloseTo(-0.5, 6);
  expect(withTestNoise!.high).toBeCloseTo(-0.5, 6);
});
