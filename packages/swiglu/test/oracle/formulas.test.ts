// The oracle itself: its derivatives against central differences, its functions against published digits.
import { describe, expect, it } from "vitest";
import { activationByName } from "../../src/catalogue/catalogue.js";
import { exact, formulas, type Name, valueAt } from "./formulas.js";
import { pointsOf } from "./points.js";
import { arctanCdf, D, fromDouble, normalCdf, sigmoid, softplus } from "./precise.js";

/** A relative step that leaves 20 digits of the difference, of which the truncation keeps as many. */
const step = new D("1e-20");

describe("the oracle's derivatives are those of its values: central differences to 15 digits", () => {
  for (const [seed, name] of (Object.keys(formulas) as Name[]).entries()) {
    it(name, () => {
      const activation = activationByName(name);
      for (const drawn of pointsOf(activation, { count: 6, seed: 100 + seed, huge: 3 })) {
        const point = Object.fromEntries(
          Object.entries(drawn).map(([key, v]) => [key, v / (1 + Math.abs(v) / 30)]),
        );
        const { value, slopes } = exact(name, point);
        expect(valueAt(name, decimals(point)).minus(value.result).abs().toNumber()).toBe(0);
        for (const variable of Object.keys(point)) {
          const [more, less] = [step, step.neg()].map((step) => {
            const at = decimals(point);
            return valueAt(name, { ...at, [variable]: at[variable]!.plus(step) });
          });
          const difference = more!.minus(less!).div(step.times(2));
          const error = difference.minus(slopes[variable]!.result).abs().toNumber();
          expect(error, `d${variable} at ${JSON.stringify(point)}`).toBeLessThan(
            1e-15 * (1 + value.scale.toNumber()),
          );
        }
      }
    });
  }
});

const decimals = (point: Readonly<Record<string, number>>): Record<string, D> =>
  Object.fromEntries(Object.entries(point).map(([key, v]) => [key, fromDouble(v)]));

it("a double becomes the decimal that it is, not its shortest printed form", () => {
  expect(fromDouble(0.1).toString()).toBe("0.1000000000000000055511151231257827021181583404541015625");
  expect(
    fromDouble(-(2 ** -1074))
      .times(new D(2).pow(1074))
      .toDecimalPlaces(50)
      .toString(),
  ).toBe("-1");
  expect(fromDouble(Number.MAX_VALUE).div(new D(2).pow(971)).toDecimalPlaces(20).toFixed()).toBe(
    String(2 ** 53 - 1),
  );
});

it("published digits", () => {
  // Abramowitz and Stegun, table 26.1 and 26.2: P(1), and -log10 Q(5), -log10 Q(10), -log10 Q(38)
  expect(normalCdf(new D(1)).toFixed(15)).toBe("0.841344746068543");
  for (const [x, digits] of [
    [5, "6.54265"],
    [10, "23.11805"],
    [38, "315.53979"],
  ] as const)
    expect(
      D.log10(normalCdf(new D(-x)))
        .neg()
        .toFixed(5),
    ).toBe(digits);
  expect(sigmoid(new D(0)).toString()).toBe("0.5");
  expect(softplus(new D(0)).toFixed(30)).toBe("0.693147180559945309417232121458");
  expect(arctanCdf(new D(1)).toString()).toBe("0.75");
});
