// Analysis of variance, paired tests, effect sizes, power and corrections against published examples and R's output.
import { describe, expect, test } from "vitest";
import { anova } from "../../src/statistics/inference/anova.js";
import { benjaminiHochberg } from "../../src/statistics/inference/benjamini-hochberg.js";
import { equivalence, pairedTest, pairing } from "../../src/statistics/inference/paired.js";
import { effectSize, noncentralTCdf, powerOf, seedsNeeded } from "../../src/statistics/inference/power.js";

const transpose = (rows: readonly (readonly number[])[]): number[][] =>
  rows[0]!.map((_, j) => rows.map((row) => row[j]!));

describe("analysis of variance in blocks", () => {
  // Montgomery, Design and Analysis of Experiments, the vascular graft experiment: four pressures, six batches of resin.
  const pressures = [
    [90.3, 89.2, 98.2, 93.9, 87.4, 97.9],
    [92.5, 89.5, 90.6, 94.7, 87.0, 95.8],
    [85.5, 90.8, 89.6, 86.2, 88.0, 93.4],
    [82.5, 89.5, 85.6, 87.4, 78.9, 90.7],
  ];

  test("vascular grafts: 178.17, 192.25, 109.89; F = 8.11, p = 0.0019", () => {
    const { variants, blocks, residual } = anova(transpose(pressures));
    expect(variants.sumOfSquares).toBeCloseTo(178.17, 2);
    expect(blocks.sumOfSquares).toBeCloseTo(192.25, 2);
    expect(residual.sumOfSquares).toBeCloseTo(109.89, 2);
    expect([variants.df, blocks.df, residual.df]).toEqual([3, 5, 15]);
    expect(variants.f).toBeCloseTo(8.11, 2);
    expect(variants.p).toBeCloseTo(0.0019163, 7);
  });

  // Box, Hunter and Hunter; R: summary(aov(yield ~ blend + treat, faraway::penicillin)).
  test("penicillin: F = 1.24 (p = 0.339) for treatments, 3.50 (p = 0.041) for blends", () => {
    const { variants, blocks, residual } = anova([
      [89, 88, 97, 94],
      [84, 77, 92, 79],
      [81, 87, 87, 85],
      [87, 92, 89, 84],
      [79, 81, 80, 88],
    ]);
    expect([variants.sumOfSquares, blocks.sumOfSquares, residual.sumOfSquares]).toEqual([70, 264, 226]);
    expect([variants.f!.toFixed(2), variants.p.toFixed(3)]).toEqual(["1.24", "0.339"]);
    expect([blocks.f!.toFixed(2), blocks.p.toFixed(3)]).toEqual(["3.50", "0.041"]);
  });

  test("two variants: F is the square of the paired t", () => {
    const rows = [
      [1, 2],
      [2, 4],
      [3, 6],
      [5, 5.5],
    ];
    const { t, p } = pairedTest(rows.map(([a, b]) => b! - a!));
    expect(anova(rows).variants.f).toBeCloseTo(t! ** 2, 10);
    expect(anova(rows).variants.p).toBeCloseTo(p, 12);
  });

  test("nothing left over", () => {
    const same = anova([
      [1, 1],
      [1, 1],
    ]);
    expect([same.variants.f, same.variants.p]).toEqual([null, 1]);
    const shifted = anova([
      [1, 2],
      [3, 4],
    ]);
    expect([shifted.variants.f, shifted.variants.p]).toEqual([null, 0]);
  });

  test("rows that differ in length are refused", () => {
    expect(() => anova([[1, 2], [1]])).toThrow("values has rows of 2, 1 values");
  });
});

describe("pairs: R's data set sleep, t.test(paired = TRUE) and TOSTER::t_TOST(eqb = 0.5)", () => {
  const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
  const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
  const differences = first.map((value, i) => value - second[i]!);

  test("t = -4.0621, df = 9, p = 0.002833, interval -2.4598858 to -0.7001142", () => {
    const { mean, t, df, p, interval } = pairedTest(differences);
    expect(mean).toBeCloseTo(-1.58, 12);
    expect([t!.toFixed(4), df, p.toFixed(6)]).toEqual(["-4.0621", 9, "0.002833"]);
    expect(interval.low).toBeCloseTo(-2.4598858, 7);
    expect(interval.high).toBeCloseTo(-0.7001142, 7);
  });

  test("not equivalent within 0.5: p = 0.989; 90 % interval -2.293 to -0.867", () => {
    const { p, equivalent, interval } = equivalence(differences, 0.5);
    expect(p).toBeCloseTo(0.98924, 5);
    expect(equivalent).toBe(false);
    expect(interval.low).toBeCloseTo(-2.293, 3);
    expect(interval.high).toBeCloseTo(-0.867, 3);
  });

  test("equivalent exactly when the 90 % interval lies within the margin", () => {
    expect(equivalence(differences, 2.2929).equivalent).toBe(false);
    expect(equivalence(differences, 2.2931).equivalent).toBe(true);
  });

  test("Hedges' g_z = -1.174 with the noncentral t's interval (SciPy's nct), d_av", () => {
    const { dz, dzInterval, dav } = effectSize(first, second);
    expect(dz).toBeCloseTo(-1.1739249, 7);
    expect(dzInterval!.low).toBeCloseTo(-1.9356021, 7);
    expect(dzInterval!.high).toBeCloseTo(-0.3789179, 7);
    expect(dav).toBeCloseTo(-0.7605094, 7);
  });

  test("pairing: correlation 0.7952, and a fifth of the variance", () => {
    const { correlation, varianceRatio } = pairing(first, second);
    expect(correlation).toBeCloseTo(0.7951702, 7); // R: cor.test
    expect(varianceRatio).toBeCloseTo(0.209845, 7);
  });
});

describe("without spread", () => {
  test("a constant difference is certain, and no difference is none", () => {
    expect(pairedTest([1, 1, 1])).toMatchObject({ t: null, p: 0 });
    expect(pairedTest([0, 0, 0])).toMatchObject({ t: null, p: 1 });
    expect(equivalence([0, 0, 0], 0.1)).toMatchObject({ p: 0, equivalent: true });
    expect(equivalence([1, 1, 1], 0.1)).toMatchObject({ p: 1, equivalent: false });
  });

  test("what cannot be said is null", () => {
    expect(effectSize([1, 1, 1], [0, 0, 0])).toEqual({ dz: null, dzInterval: null, dav: null });
    expect(pairing([1, 1, 1], [1, 2, 3])).toEqual({ correlation: null, varianceRatio: 1 });
    expect(pairing([1, 1, 1], [2, 2, 2])).toEqual({ correlation: null, varianceRatio: null });
  });
});

describe("power", () => {
  test.each([
    [2, 9, 1.5, 0.6558759139985497],
    [-1, 2, 0.5, 0.10327857197969201],
    [5, 4, 3, 0.8006175480725889],
    [1.9, 30, -1, 0.9974754446948524],
  ])("noncentral t at %d, df %d, noncentrality %d (SciPy)", (t, df, noncentrality, chance) => {
    expect(noncentralTCdf(t, df, noncentrality)).toBeCloseTo(chance, 12);
  });

  test("R's pwr.t.test(d = 0.2, n = 60, sig.level = 0.10, type = 'one.sample'): 0.4555818", () => {
    expect(powerOf(60, 0.2, 0.1)).toBeCloseTo(0.4555818, 7);
  });

  // pwr.t.test(d, power = 0.8, type = "paired"): n = 198.15, 33.37, 14.30.
  test.each([
    [0.2, 199],
    [0.5, 34],
    [0.8, 15],
    [1.3, 7],
  ])("an effect of %d needs %d pairs", (effect, n) => {
    expect(seedsNeeded(effect, 1)).toBe(n);
    expect(seedsNeeded(-3 * effect, 3)).toBe(n);
  });

  test("none is enough for no difference, and the fewest for a certain one", () => {
    expect(seedsNeeded(0, 1)).toBeNull();
    expect(seedsNeeded(0.001, 1)).toBeNull();
    expect(seedsNeeded(1, 0)).toBe(2);
  });
});

describe("Benjamini and Hochberg", () => {
  // Their paper's example, section 3: 15 p-values of which four are discoveries at q = 0.05.
  const p = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
    0.759, 1,
  ];

  test("the example of 1995: four discoveries", () => {
    const adjusted = benjaminiHochberg(p);
    expect(adjusted.filter((value) => value <= 0.05)).toHaveLength(4);
    expect(adjusted[3]).toBeCloseTo((0.0095 * 15) / 4, 12);
    expect(adjusted[5]).toBeCloseTo((0.0298 * 15) / 7, 12); // the least from the sixth on is the seventh's
    expect(adjusted[14]).toBe(1);
  });

  test("keeps the order given", () => {
    expect(benjaminiHochberg([0.01, 0.04, 0.03])).toEqual([0.03, 0.04, 0.04]);
    expect(benjaminiHochberg([...p].reverse())).toEqual(benjaminiHochberg(p).reverse());
    expect(benjaminiHochberg([])).toEqual([]);
  });
});

test("the examples of the docstrings", () => {
  expect(
    anova([
      [1, 2],
      [2, 4],
      [3, 6],
    ]).variants.f,
  ).toBeCloseTo(12, 10);
  expect(pairedTest([1, 2, 3]).p).toBeCloseTo(0.0742, 4);
  expect(equivalence([0.1, -0.1, 0.05, -0.05], 0.5).equivalent).toBe(true);
  expect(pairing([1, 2, 3], [1.1, 2.1, 3.1]).correlation).toBeCloseTo(1, 10);
  expect(effectSize([2, 4, 6], [1, 2, 3]).dz).toBeCloseTo(1.13, 2);
  expect(seedsNeeded(0.5, 1)).toBe(34);
});
