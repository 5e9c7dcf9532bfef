// Holm, the choice of learning rates, and length curves: against R's and SciPy's figures, and by hand.
import { describe, expect, test } from "vitest";
import { holm } from "../../src/statistics/inference/holm.js";
import { fallingCurve, slopeOf, stepsFor } from "../../src/statistics/length-curve.js";
import { chooseRates, lossAtRate } from "../../src/statistics/rate-choice.js";

describe("holm", () => {
  test("R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), 'holm')", () => {
    expect(holm([0.01, 0.02, 0.03, 0.04, 0.05])).toEqual(
      [0.05, 0.08, 0.09, 0.09, 0.09].map((p) => expect.closeTo(p, 12)),
    );
  });
  test("any order, never above 1; none at all", () => {
    expect(holm([0.6, 0.001, 0.7])).toEqual([1, 0.003, 1].map((p) => expect.closeTo(p, 12)));
    expect(holm([])).toEqual([]);
  });
});

/** Exactly parabolic losses about a minimum, a seed's shifted by `spread` in the logarithm of the rate. */
const parabolic = (rates: readonly number[], minimum: number, shifts: readonly number[]) =>
  rates.map((rate) => shifts.map((shift) => 1 + 0.3 * (Math.log(rate / minimum) - shift) ** 2));

describe("chooseRates", () => {
  const rates = [1, Math.SQRT2, 2, 2 * Math.SQRT2, 4];

  test("finds the minimum of a parabola, between the rates", () => {
    const { own, parabolas } = chooseRates(rates, [parabolic(rates, 1.8, [0])]);
    expect(own[0]).toBeCloseTo(1.8, 2);
    expect(parabolas[0]!.curvature).toBeCloseTo(0.3, 10);
  });

  test("minima within the noise of seeds give one rate to all, at the minimum of the averaged losses", () => {
    const losses = [1.7, 1.9].map((at, v) =>
      parabolic(rates, at, v === 0 ? [0.3, -0.3, 0.2, -0.2] : [-0.3, 0.3, 0.2, -0.2]),
    );
    const { common, rates: chosen, own, p } = chooseRates(rates, losses);
    expect(p).toBeGreaterThan(0.05);
    expect(common).toBeCloseTo(Math.sqrt(1.7 * 1.9), 1);
    expect(chosen).toEqual([common, common]);
    expect(own[0]).not.toBe(own[1]);
  });

  test("minima that differ in every seed alike keep rates of their own", () => {
    const shifts = [0.02, -0.02, 0.01, -0.01];
    const losses = [parabolic(rates, 1.5, shifts), parabolic(rates, 2.7, [...shifts].reverse())];
    const { common, rates: chosen, p } = chooseRates(rates, losses);
    expect(p).toBeLessThan(0.05);
    expect(common).toBeNull();
    expect(chosen[0]).toBeCloseTo(1.5, 1);
    expect(chosen[1]).toBeCloseTo(2.7, 1);
  });

  test("moves at most half an octave from the best rate", () => {
    // A best rate beside a steep wall: the parabola's minimum lies far off.
    const { own } = chooseRates([1, 2, 4, 8], [[[1.001], [1], [1.0009], [9]]]);
    expect(own[0]).toBeGreaterThanOrEqual(Number((2 / Math.SQRT2).toPrecision(3)));
  });

  test("at an edge, and beside a run that diverged, it is the best rate itself", () => {
    expect(chooseRates([1, 2, 4], [[[1], [2], [3]]]).own).toEqual([1]);
    expect(chooseRates([1, 2, 4], [[[2], [1], [Number.POSITIVE_INFINITY]]])).toMatchObject({
      own: [2],
      p: null,
      parabolas: [null],
    });
  });

  test("lossAtRate: the parabola, or straight lines in the logarithm of the rate", () => {
    const rows = parabolic(rates, 2, [0]);
    const [parabola] = chooseRates(rates, [rows]).parabolas;
    expect(lossAtRate(rates, rows, parabola!, 3)).toBeCloseTo(1 + 0.3 * Math.log(1.5) ** 2, 10);
    expect(lossAtRate([1, 4], [[3], [1]], null, 2)).toBeCloseTo(2, 12);
    expect(lossAtRate([1, 4], [[3], [1]], null, 9)).toBe(1);
    expect(lossAtRate([1, 4], [[3], [1]], null, 0.5)).toBe(3);
  });
});

describe("length curves", () => {
  test("SciPy: isotonic_regression([4, 3, 3.5, 3.2, 1], increasing=False)", () => {
    const points = [4, 3, 3.5, 3.2, 1].map((loss, i) => ({ steps: i + 1, loss }));
    const levels = fallingCurve(points).map(({ loss }) => loss);
    expect(levels).toEqual([4, 3.25, 3.25, 3.2, 1].map((loss) => expect.closeTo(loss, 12)));
  });

  const curve = [
    { steps: 100, loss: 3 },
    { steps: 400, loss: 2 },
    { steps: 800, loss: 1.9 },
  ];
  const steps = (loss: number): number => Math.exp(stepsFor(curve, loss).logSteps);

  test("straight in the logarithm of the steps, exact at its points", () => {
    expect([steps(3), steps(2.5), steps(2), steps(1.9)]).toEqual(
      [100, 200, 400, 800].map((n) => expect.closeTo(n, 9)),
    );
  });

  test("beyond an end by at most a factor of 2, and then a bound", () => {
    expect(steps(1.85)).toBeCloseTo(800 * Math.SQRT2, 8);
    expect(stepsFor(curve, 1)).toEqual({ logSteps: expect.closeTo(Math.log(1600), 12), bound: "more" });
    expect(stepsFor(curve, 9)).toEqual({ logSteps: expect.closeTo(Math.log(50), 12), bound: "fewer" });
    expect(stepsFor(curve, 3.25)).toEqual({
      logSteps: expect.closeTo(Math.log(100 / Math.SQRT2), 12),
      bound: null,
    });
  });

  test("a level stretch: the fewest steps that reach the loss; no end of it, a bound", () => {
    const level = [
      { steps: 100, loss: 2 },
      { steps: 200, loss: 1 },
      { steps: 400, loss: 1 },
    ];
    expect(stepsFor(level, 1).logSteps).toBeCloseTo(Math.log(200), 12);
    expect(stepsFor(level, 0.9)).toEqual({ logSteps: expect.closeTo(Math.log(800), 12), bound: "more" });
  });

  test("SciPy: linregress([1, 2, 4, 7], [2, 1, 3, 8]).slope", () => {
    expect(slopeOf([1, 2, 4, 7], [2, 1, 3, 8])).toBeCloseTo(1.0952380952380953, 12);
  });
});
