// The special functions of the float64 reference against decimal arithmetic, over all exponents and both signs.
import { describe, expect, it } from "vitest";
import * as special from "../../src/expression/special.js";
import { slowExtent } from "../conformance/extent.js";
import { around, exponents, extremes, seeded, uniform } from "./points.js";
import * as precise from "./precise.js";
import { type D, fromDouble } from "./precise.js";

const random = seeded(1);
/** A third of the points, one in turn of all exponents and stretches. */
const thinned = (all: readonly number[]): number[] =>
  slowExtent === "full" ? [...all] : all.filter((_, i) => i % 3 === 0);
const points = [
  ...extremes,
  ...thinned([
    ...exponents(-1074, -80, 23, random),
    ...exponents(-80, 11, 1, random),
    ...exponents(11, 1023, 23, random),
    ...uniform(-2, 2, 150, random),
    ...uniform(-40, 40, 150, random),
    ...uniform(-746, -36, 60, random),
    ...around(0.5, 1, 2, 4, 7, 38, 38.5, 39, 40, 400, 709.78, 745.1),
  ]),
];

/** Each function with its exact value, and x f'(x), to which an error of the argument is entitled. */
const functions: Record<string, { own: (x: number) => number; exact: (x: D) => D; scale: (x: D) => D }> = {
  sigmoid: {
    own: special.sigmoid,
    exact: precise.sigmoid,
    scale: (x) => x.times(precise.sigmoid(x)).times(precise.sigmoid(x.neg())),
  },
  sigmoidSlope: {
    own: special.sigmoidSlope,
    exact: (x) => precise.sigmoid(x).times(precise.sigmoid(x.neg())),
    scale: (x) =>
      x
        .times(precise.sigmoid(x))
        .times(precise.sigmoid(x.neg()))
        .times(precise.tanh(x.div(2))),
  },
  softplus: { own: special.softplus, exact: precise.softplus, scale: (x) => x.times(precise.sigmoid(x)) },
  normalCdf: {
    own: special.normalCdf,
    exact: precise.normalCdf,
    scale: (x) => x.times(precise.normalDensity(x)),
  },
  expResidual: {
    own: special.expResidual,
    exact: precise.expResidual,
    scale: (x) => x.times(precise.expm1(x)),
  },
  tanhResidual: {
    own: special.tanhResidual,
    exact: precise.tanhResidual,
    scale: (z) => z.times(z).times(2).times(precise.tanh(z)).times(precise.sechSquared(z)),
  },
  atlu: {
    own: special.atlu,
    exact: (x) => x.times(precise.arctanCdf(x)),
    scale: (x) => x.times(precise.atluSlope(x)),
  },
  atluSlope: {
    own: special.atluSlope,
    exact: precise.atluSlope,
    scale: (x) => x.times(2).div(x.times(x).plus(1).pow(2).times(precise.pi)),
  },
};

/** |own - exact| in units of 2^-52 (|f| + |scale|) beyond the smallest normal number. */
function units(own: number, exact: D, scale: D): number {
  if (exact.abs().greaterThan(Number.MAX_VALUE))
    return Math.abs(own) >= Number.MAX_VALUE ? 0 : Number.POSITIVE_INFINITY;
  if (!Number.isFinite(own)) return Number.POSITIVE_INFINITY;
  const error = fromDouble(own)
    .minus(exact)
    .abs()
    .minus(2 ** -1022);
  if (error.lessThanOrEqualTo(0)) return 0;
  return error
    .div(exact.abs().plus(scale.abs()))
    .times(2 ** 52)
    .toNumber();
}

describe("special functions in float64: error at most 2 * 2^-52 (|f| + |x f'|) + 2^-1022", () => {
  for (const [name, { own, exact, scale }] of Object.entries(functions)) {
    it(name, () => {
      let worst = { units: -1, x: 0 };
      for (const x of points) {
        const found = units(own(x), exact(fromDouble(x)), scale(fromDouble(x)));
        if (!(found <= worst.units)) worst = { units: found, x };
      }
      expect(worst.units, `${worst.units} units at x = ${worst.x}`).toBeLessThanOrEqual(2);
    });
  }

  it("softClamp", () => {
    const limits = [7, 4, 25, 0.3, 1e-300, 1e300, 3e-310];
    for (const limit of limits) {
      for (const x of [
        ...uniform(-3 * limit, 3 * limit, 40, random),
        ...exponents(-1074, 1023, 41, random),
        ...extremes,
      ]) {
        const z = fromDouble(x).div(fromDouble(limit));
        const slope = precise.sechSquared(z);
        const scale = slope
          .times(fromDouble(x))
          .abs()
          .plus(precise.tanhResidual(z).times(fromDouble(limit)).abs());
        const found = units(special.softClamp(x, limit), precise.tanh(z).times(fromDouble(limit)), scale);
        expect(found, `${found} units at x = ${x}, limit = ${limit}`).toBeLessThanOrEqual(2);
      }
    }
  });
});

describe("special functions at the edges", () => {
  it("keep true relative accuracy in the tails: below 2^-50 wherever the result is a normal number", () => {
    for (const x of [...uniform(-37.5, 0, 300, random), ...around(4, 36, 37.5).filter((p) => p < 0)]) {
      const exact = precise.normalCdf(fromDouble(x));
      expect(fromDouble(special.normalCdf(x)).minus(exact).div(exact).abs().toNumber()).toBeLessThan(
        2 ** -50,
      );
    }
    for (const x of uniform(-708, 0, 200, random)) {
      const exact = precise.sigmoid(fromDouble(x));
      expect(fromDouble(special.sigmoid(x)).minus(exact).div(exact).abs().toNumber()).toBeLessThan(2 ** -51);
    }
    for (const x of [...uniform(-1, 1, 100, random), ...exponents(-300, 8, 7, random)]) {
      for (const name of ["expResidual", "tanhResidual", "atluSlope"]) {
        const { own, exact } = functions[name]!;
        const value = exact(fromDouble(x));
        if (value.abs().greaterThan(2 ** -1022) && value.abs().lessThan(Number.MAX_VALUE))
          expect(fromDouble(own(x)).minus(value).div(value).abs().toNumber(), `${name}(${x})`).toBeLessThan(
            2 ** -49,
          );
      }
    }
  });

  it("give NaN for NaN", () => {
    for (const { own } of Object.values(functions)) expect(own(Number.NaN)).toBeNaN();
    expect(special.softClamp(Number.NaN, 4)).toBeNaN();
    expect(special.softClamp(1, Number.NaN)).toBeNaN();
  });

  it("have their limits at the infinities, and NaN where e^x - 1 - x is infinity - infinity", () => {
    const at = (name: keyof typeof functions) =>
      [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY].map(functions[name]!.own);
    expect(at("sigmoid")).toEqual([0, 1]);
    expect(at("softplus")).toEqual([0, Number.POSITIVE_INFINITY]);
    expect(at("normalCdf")).toEqual([0, 1]);
    expect(at("expResidual")).toEqual([Number.POSITIVE_INFINITY, Number.NaN]);
    expect(at("tanhResidual")).toEqual([-1, 1]);
    expect(at("atlu")).toEqual([-1 / Math.PI, Number.POSITIVE_INFINITY]);
    expect(at("atluSlope")).toEqual([0, 1]);
    expect([-1, 1].map((sign) => special.softClamp(sign * Number.POSITIVE_INFINITY, 4))).toEqual([-4, 4]);
  });

  it("are exact at both zeros", () => {
    for (const zero of [0, -0]) {
      expect(special.sigmoid(zero)).toBe(0.5);
      expect(special.softplus(zero)).toBe(Math.LN2);
      expect(special.normalCdf(zero)).toBe(0.5);
      expect(special.expResidual(zero)).toBe(0);
      expect(special.tanhResidual(zero)).toBe(zero);
      expect(special.atlu(zero)).toBe(zero);
      expect(special.atluSlope(zero)).toBe(0.5);
      expect(special.softClamp(zero, 4)).toBe(zero);
    }
  });
});
