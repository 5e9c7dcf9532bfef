// Shapes of activations against published figures and closed forms that are found here without the library.
import { activations, defineActivation, expressions } from "swiglu";
import { describe, expect, test } from "vitest";
import { type Shape, shapeOf } from "../../src/probe/shape.js";

const shapes = new Map(Object.entries(activations).map(([name, activation]) => [name, shapeOf(activation)]));
const of = (name: string): Shape => shapes.get(name)!;

/** The root of an increasing function between two points. */
function root(f: (x: number) => number, low: number, high: number): number {
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (f(middle) < 0) low = middle;
    else high = middle;
  }
  return low;
}

/** The normal distribution's cumulative function as the sum of its Taylor series. */
function normalCdf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / (2 * n);
    sum += term / (2 * n + 1);
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}

const publishedGelu = (x: number): number => x * normalCdf(x);
const publishedMish = (x: number): number => x * Math.tanh(Math.log1p(Math.exp(x)));

/** Where a function is lowest between -2 and 0: where its central difference is 0. */
function lowest(f: (x: number) => number): number {
  return root((x) => f(x + 1e-4) - f(x - 1e-4), -2, 0);
}

describe("minima", () => {
  // silu: x + e^x + 1 = 0 there, -1.278465, and its value is x + 1; gelu's and mish's from a search on their formulas as they are published.
  const silu = root((x) => x + Math.exp(x) + 1, -2, 0);
  const omega = root((x) => x + Math.log(x), 0.1, 1); // omega e^omega = 1
  test.each([
    ["silu", silu, silu + 1],
    ["swish", silu, silu + 1],
    ["swiglu", silu, silu + 1],
    ["gelu", lowest(publishedGelu), -0.16997120747990369],
    ["geglu", lowest(publishedGelu), -0.16997120747990369],
    ["mish", lowest(publishedMish), publishedMish(lowest(publishedMish))],
    ["hardSwish", -1.5, -0.375],
    ["swigluBlend", -omega, 1 - omega], // where (1 - s(x)) (1 - x) = 1
  ])("%s", (name, at, value) => {
    const { minimum, monotone } = of(name);
    expect(monotone).toBe(false);
    expect(minimum!.at).toBeCloseTo(at, 7);
    expect(minimum!.value).toBeCloseTo(value, 9);
  });

  test("monotone ones have none", () => {
    for (const name of [
      "identity",
      "sigmoid",
      "tanh",
      "relu",
      "elu",
      "selu",
      "softplus",
      "relu2",
      "glu",
      "reglu",
    ]) {
      expect([name, of(name).monotone, of(name).minimum]).toEqual([name, true, null]);
    }
  });
});

describe("second derivatives", () => {
  test.each([
    ["silu", 0.5, 0],
    ["softplus", 0.25, 0],
    ["gelu", 2 / Math.sqrt(2 * Math.PI), 0],
    ["glu", 1 / (6 * Math.sqrt(3)), Math.log(2 + Math.sqrt(3))],
    ["tanh", 4 / (3 * Math.sqrt(3)), Math.atanh(1 / Math.sqrt(3))],
    ["relu", 0, null], // everywhere, or on a whole stretch
    ["bilinear", 0, null],
    ["relu2", 2, null],
    ["hardSwish", 1 / 3, null],
  ])("%s: %d", (name, size, at) => {
    const { curvature } = of(name);
    expect(Math.abs(curvature.value)).toBeCloseTo(size, 10);
    expect(curvature.at === null ? null : Math.abs(curvature.at)).toEqual(
      at === null ? null : expect.closeTo(at, 2),
    );
  });
});

test("largest slopes: silu's 1.09984 at 2.39936, gelu's at the root of 2", () => {
  const turn = root((x) => x * Math.tanh(x / 2) - 2, 1, 4);
  const s = 1 / (1 + Math.exp(-turn));
  expect(of("silu").slope.value).toBeCloseTo(s * (1 + turn * (1 - s)), 12);
  expect(of("silu").slope.at).toBeCloseTo(turn, 6);
  expect(of("gelu").slope.value).toBeCloseTo(
    normalCdf(Math.SQRT2) + (Math.SQRT2 * Math.exp(-1)) / Math.sqrt(2 * Math.PI),
    12,
  );
  expect(of("gelu").slope.at).toBeCloseTo(Math.SQRT2, 6);
  expect(of("relu").slope).toEqual({ at: null, value: 1 });
});

describe("kinks", () => {
  const rounded = (name: string) =>
    of(name).kinks.map(({ at, jump }) => [Number(at.toFixed(6)), Number(jump.toFixed(6))]);

  test("smooth activations have none", () => {
    for (const name of [
      "silu",
      "gelu",
      "geluTanh",
      "mish",
      "elu",
      "relu2",
      "xielu",
      "glu",
      "geglu",
      "swiglu",
      "swigluBlend",
    ]) {
      expect([name, rounded(name)]).toEqual([name, []]);
    }
  });

  test.each([
    ["relu", [[0, 1]]],
    ["reglu", [[0, 1]]],
    ["drelu", [[0, 1]]],
    ["selu", [[0, Number((1.0507009873554805 * (1 - 1.6732632423543772)).toFixed(6))]]],
    [
      "hardSwish",
      [
        [-3, -0.5],
        [3, -0.5],
      ],
    ],
  ])("%s", (name, expected) => expect(rounded(name)).toEqual(expected));

  test("a limit is one: of gpt-oss's swiglu at 7, and where silu reaches 7", () => {
    expect(rounded("swigluOai").map(([at]) => at)).toEqual([7]);
    const seven = root((x) => x / (1 + Math.exp(-x)) - 7, 6, 8);
    expect(rounded("swigluStep").map(([at]) => at)).toEqual([Number(seven.toFixed(6))]);
  });

  test("of an activation of one's own, off the grid", () => {
    const { sub, abs } = expressions;
    const tip = (name: string, parameters: Record<string, number>, at: number | string) =>
      defineActivation({
        name,
        kind: "unary",
        parameters,
        source: "this test",
        expression: abs(sub("x", at)),
      });
    expect(shapeOf(tip("atZero", {}, 0)).kinks).toEqual([{ at: 0, jump: 2 }]);
    const { kinks, monotone, minimum } = shapeOf(tip("offTheGrid", { c: 0.3 }, "c"));
    expect(kinks).toEqual([{ at: expect.closeTo(0.3, 8), jump: 2 }]);
    expect([monotone, minimum?.at]).toEqual([false, expect.closeTo(0.3, 8)]);
  });
});

describe("shares of a standard normal distribution", () => {
  test("relu is flat on half of it, identity and bilinear nowhere", () => {
    expect(of("relu").normal).toEqual({ flat: expect.closeTo(0.5, 12), falling: 0 });
    expect(of("identity").normal).toEqual({ flat: 0, falling: 0 });
    expect(of("bilinear").normal).toEqual({ flat: 0, falling: 0 });
  });

  test("silu falls left of its minimum, hardSwish between -3 and -1.5", () => {
    expect(of("silu").normal.falling).toBeCloseTo(normalCdf(root((x) => x + Math.exp(x) + 1, -2, 0)), 10);
    expect(of("hardSwish").normal.falling).toBeCloseTo(normalCdf(-1.5) - normalCdf(-3), 10);
  });

  test("silu is flat around its minimum and far to the left", () => {
    const slope = (x: number): number => {
      const s = 1 / (1 + Math.exp(-x));
      return s + x * s * (1 - s);
    };
    const [before, after] = [root((x) => slope(x) + 0.01, -2, 0), root((x) => slope(x) - 0.01, -2, 0)];
    const tail = root((x) => -0.01 - slope(x), -20, -4);
    expect(of("silu").normal.flat).toBeCloseTo(normalCdf(after) - normalCdf(before) + normalCdf(tail), 9);
  });
});
