// Dunnett's distribution against his published tables, against R's multcomp, and against adaptive quadrature in SciPy.
import { describe, expect, test } from "vitest";
import { dunnett, dunnettCdf, dunnettQuantile } from "../../src/statistics/inference/dunnett.js";
import { expectation, root, scaledChi } from "../../src/statistics/inference/numerics.js";

describe("critical values of Dunnett 1964, two-sided, as printed in textbooks: k = 1 ... 9", () => {
  test.each<[df: number, chance: number, values: number[]]>([
    [5, 0.95, [2.57, 3.03, 3.29, 3.48, 3.62, 3.73, 3.82, 3.9, 3.97]],
    [10, 0.95, [2.23, 2.57, 2.76, 2.89, 2.99, 3.07, 3.14, 3.19, 3.24]],
    [20, 0.95, [2.09, 2.38, 2.54, 2.65, 2.73, 2.8, 2.86, 2.9, 2.95]],
    [60, 0.95, [2.0, 2.27, 2.41, 2.51, 2.58, 2.64, 2.69, 2.73, 2.77]],
    [10, 0.99, [3.17, 3.53, 3.74, 3.88, 3.99, 4.08, 4.16, 4.22, 4.28]],
  ])("%d degrees of freedom, %d", (df, chance, values) => {
    expect(values.map((_, i) => dunnettQuantile(chance, i + 1, df).toFixed(2))).toEqual(
      values.map((value) => value.toFixed(2)),
    );
  });
});

test.each([
  [2.5, 2, 14, 0.9538831864840871],
  [1, 9, 4, 0.12244427320543194],
  [3.2, 5, 63, 0.9904464319761617],
  [6, 3, 4, 0.991106196705309],
  [12, 7, 2, 0.9807883337829697],
])(
  "the chance of staying within %d, k = %d, df = %d (SciPy: nested adaptive quadrature)",
  (bound, k, df, chance) => {
    expect(dunnettCdf(bound, k, df)).toBeCloseTo(chance, 11);
  },
);

describe("p-values that R and SciPy printed", () => {
  test("PlantGrowth, n = 10 of each: 0.3227 and 0.1535, intervals -1.0217 to 0.2797 (SciPy's dunnett, exact to about 3e-4)", () => {
    const [first, second] = dunnett([-0.371, 0.494], 0.2787816084, 27);
    expect(first!.p).toBeCloseTo(0.3226956857687827, 8); // by nested adaptive quadrature
    expect(second!.p).toBeCloseTo(0.15348586151512433, 8);
    expect(Math.abs(first!.interval.low + 1.0217)).toBeLessThan(3e-4);
    expect(Math.abs(first!.interval.high - 0.2797)).toBeLessThan(3e-4);
  });

  // AgroR::dunnett, which calls multcomp; multcomp integrates by quasi-random points, exact to about 1e-4.
  test.each([
    [0.9528, 5, 18, 0.8035],
    [4.4753, 5, 18, 0.0013],
    [1.8479, 5, 18, 0.2667],
    [0.8376, 8, 32, 0.9479],
    [4.0802, 8, 32, 0.002],
    [3.3405, 8, 32, 0.0138],
    [1.7242, 8, 32, 0.4039],
  ])("pomegranates and, in blocks, chlorine: t = %d, k = %d, df = %d", (t, k, df, p) => {
    const others = Array.from({ length: k - 1 }, () => 0);
    expect(Math.abs(dunnett([t, ...others], 1, df)[0]!.p - p)).toBeLessThan(1.2e-4);
  });
});

describe("at the ends", () => {
  test("one comparison is a t-test", () => {
    expect(dunnettQuantile(0.95, 1, 9)).toBeCloseTo(2.2621571627982, 9); // R: qt(0.975, 9)
  });

  test("without residual variance differences are certain", () => {
    expect(dunnett([0, 0.1], 0, 4).map(({ p }) => p)).toEqual([1, 0]);
    expect(dunnett([], 1, 4)).toEqual([]);
  });

  test("p-values of large statistics are small, never below zero", () => {
    const [{ p } = { p: -1 }] = dunnett([40], 1, 60);
    expect(p).toBeGreaterThanOrEqual(0);
    expect(p).toBeLessThan(1e-12);
  });
});

describe("numerics", () => {
  test.each([1, 2, 5, 60, 5000])(
    "moments of S with %d degrees of freedom: E S^2 = 1, E S^4 = 1 + 2 / df",
    (df) => {
      const rule = scaledChi(df);
      expect(expectation(rule, (s) => s ** 2)).toBeCloseTo(1, 12);
      expect(expectation(rule, (s) => s ** 4)).toBeCloseTo(1 + 2 / df, 11);
    },
  );

  test("roots", () => {
    expect(root((x) => x * x - 2, 0, 2)).toBeCloseTo(Math.SQRT2, 12);
    expect(root((x) => 1 - x, 1, 5)).toBe(1);
    expect(() => root((x) => x * x + 1, 0, 2)).toThrow("there is no root between 0 and 2");
  });
});
