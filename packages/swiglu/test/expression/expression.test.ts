// Expressions: simplification keeps values, derivatives agree with central differences, sharing, bounds, lowering.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { errorBound, errorScale, float32, float64 } from "../../src/expression/bound.js";
import { differentiate } from "../../src/expression/differentiate.js";
import * as e from "../../src/expression/expr.js";
import { lower } from "../../src/expression/lower.js";
import { text } from "../../src/expression/print.js";
import { simplify, simplifyAll } from "../../src/expression/simplify.js";
import { compile } from "../../src/expression/tape.js";
import { expression, names, point } from "./arbitrary.js";

const value = (expr: e.Expr, at: readonly number[]): number => compile([expr], names).run(at)[0] as number;

describe("simplify", () => {
  test("keeps the value of any expression exactly", () => {
    fc.assert(
      fc.property(expression(), point, (expr, at) => {
        const [before, after] = [value(expr, at), value(simplify(expr), at)];
        // + 0 because x + 0 is simplified to x, which differs where x is -0.
        expect(after + 0).toBe(before + 0);
      }),
      { seed: 1, numRuns: 3000 },
    );
  });

  test.each([
    [e.mul(1, "x"), "x"],
    [e.add("x", 0), "x"],
    [e.neg(e.neg("x")), "x"],
    [e.add("x", e.neg("y")), "x - y"],
    [e.sub("x", e.neg("y")), "x + y"],
    [e.mul(e.neg("x"), "y"), "-x * y"],
    [e.add("x", "x"), "2 * x"],
    [e.mul(2, e.add(1, 3)), "8"],
    [e.mul(0, "x"), "0 * x"],
    [e.div("x", 0), "x / 0"],
  ])("%# gives %s", (expr, expected) => {
    expect(text(simplify(expr))).toBe(expected);
  });

  test("makes equal parts one object, also in another order and across expressions", () => {
    const [a, b] = simplifyAll([
      e.mul(e.sigmoid(e.mul("x", "y")), "x"),
      e.exp(e.mul("x", e.sigmoid(e.mul("y", "x")))),
    ]) as [e.Apply, e.Apply];
    expect(b.args[0]).toBe(a);
  });

  test("sharing keeps deep repeated products small", () => {
    let expr: e.Expr = e.variable("x");
    for (let i = 0; i < 60; i++) expr = e.mul(expr, expr);
    expect(e.schedule([simplify(expr)])).toHaveLength(61);
    expect(value(differentiate(expr, "x"), [1])).toBe(2 ** 60);
  });
});

describe("differentiate", () => {
  const smooth = new Set<e.Operation>(Object.keys(e.arity) as e.Operation[]);
  for (const kinked of ["abs", "relu", "min", "max", "clamp", "selectGreater"] as const)
    smooth.delete(kinked);

  test("agrees with central differences for random smooth expressions", () => {
    let compared = 0;
    fc.assert(
      fc.property(expression(3), point, fc.constantFrom(...names), (expr, at, name) => {
        if (e.schedule([expr]).some((node) => "args" in node && !smooth.has(node.op))) return;
        const index = names.indexOf(name);
        const shifted = (step: number) => value(expr, at.with(index, (at[index] as number) + step));
        // Richardson's extrapolation of two central differences; skipped where a third one shows it unreliable.
        const difference = (step: number) => (shifted(step) - shifted(-step)) / (2 * step);
        const [coarse, middle, fine] = [difference(2e-3), difference(1e-3), difference(5e-4)] as const;
        const scale = Math.max(1, Math.abs(fine), Math.abs(value(expr, at)));
        const [first, extrapolated] = [(4 * middle - coarse) / 3, (4 * fine - middle) / 3];
        const uncertain = 4 * Math.abs(first - extrapolated) + 1e-9 * scale;
        if (!(Math.abs(fine - coarse) <= 1e-3 * scale)) return;
        compared++;
        const exact = value(differentiate(expr, name), at);
        expect(Math.abs(exact - extrapolated)).toBeLessThanOrEqual(uncertain);
      }),
      { seed: 2, numRuns: 4000 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  // One check for each operation, the kinked ones away from their kinks; the record must name every operation.
  const samples: Record<e.Operation, e.Expr> = {
    neg: e.neg("x"),
    abs: e.abs("x"),
    exp: e.exp("x"),
    expm1: e.expm1("x"),
    expResidual: e.expResidual("x"),
    log: e.log(e.mul("x", "x")),
    sqrt: e.sqrt(e.mul("x", "x")),
    sigmoid: e.sigmoid("x"),
    sigmoidSlope: e.sigmoidSlope("x"),
    softplus: e.softplus("x"),
    tanh: e.tanh("x"),
    tanhResidual: e.tanhResidual("x"),
    normalCdf: e.normalCdf("x"),
    atan: e.atan("x"),
    atlu: e.atlu("x"),
    atluSlope: e.atluSlope("x"),
    relu: e.relu("x"),
    add: e.add("x", e.mul("x", "y")),
    sub: e.sub(e.mul("x", "y"), "x"),
    mul: e.mul("x", e.mul("x", "y")),
    div: e.div("y", "x"),
    min: e.min(e.mul("x", "y"), "x"),
    max: e.max(e.mul("x", "y"), "x"),
    softClamp: e.softClamp("y", "x"),
    clamp: e.clamp("y", e.neg(e.abs("x")), e.abs("x")),
    selectGreater: e.selectGreater("x", "y", e.mul("x", "x"), e.mul(3, "x")),
  };
  test.each(Object.entries(samples))("%s against central differences", (_, expr) => {
    for (const x of [-2.7, -1.3, -0.2, 0.3, 0.9, 1.6, 2.9])
      for (const y of [-3.1, 0.4, 2.2]) {
        // Five points: the error is of fourth order in the step.
        const side = (step: number) => value(expr, [x + step, y, 0]) - value(expr, [x - step, y, 0]);
        const numeric = (8 * side(1e-4) - side(2e-4)) / 12e-4;
        const exact = value(differentiate(expr, "x"), [x, y, 0]);
        expect(Math.abs(exact - numeric)).toBeLessThan(1e-9 * Math.max(1, Math.abs(exact)));
      }
  });

  test("does not contain the variable: 0", () => {
    expect(text(differentiate(e.exp("y"), "x"))).toBe("0");
  });

  test("a branch that overflows does not disturb the other", () => {
    const elu = e.selectGreater("x", 0, "x", e.expm1("x"));
    expect(value(differentiate(elu, "x"), [1e4, 0, 0])).toBe(1);
  });
});

describe("compile", () => {
  test("computes several expressions at once", () => {
    const tape = compile([e.mul("x", "y"), e.variable("y"), e.num(3)], ["x", "y"]);
    expect([...tape.run([2, 5])]).toEqual([10, 5, 3]);
  });
  test("names a variable without a value", () => {
    expect(() => compile([e.mul("x", "z")], ["x"])).toThrow("z has no value: only x do");
  });
});

describe("error bound", () => {
  test("is |f| + sum |v df/dv| in units of the precision", () => {
    const expr = e.mul("x", "y");
    expect(value(errorScale(expr), [3, -2, 0])).toBe(18);
    expect(errorBound(expr, ["x", "y"])([3, -2])).toBe(4 * 2 ** -23 * 18 + 2 ** -126);
    expect(errorBound(expr, ["x", "y"], float64)([3, -2])).toBe(4 * 2 ** -52 * 18 + 2 ** -1022);
  });
  test("does not vanish at the zero of silu's slope, where a relative bound would", () => {
    const slope = differentiate(e.mul("x", e.sigmoid("x")), "x");
    expect(Math.abs(value(slope, [-1.278464542761074, 0, 0]))).toBeLessThan(1e-15);
    expect(errorBound(slope, ["x"])([-1.278464542761074])).toBeGreaterThan(1e-8);
  });
  test("grows with up and dy where results denormalise", () => {
    expect(errorBound(e.mul("up", "dy"), ["up", "dy"])([0, 8])).toBe(2 ** -126 * 8);
  });
});

describe("lower", () => {
  const special = [
    "sigmoid",
    "sigmoidSlope",
    "softplus",
    "tanh",
    "tanhResidual",
    "expm1",
    "expResidual",
    "normalCdf",
    "atlu",
    "atluSlope",
    "relu",
  ] as const;
  const points = Array.from({ length: 4000 }, (_, i) => (i % 2 ? 1 : -1) * Math.exp(-14 + (i / 4000) * 18.6));

  for (const [format, precision, units] of [
    // The series are cut where float32 rounds, so in float64 arithmetic a tenth of a float32 unit is left at most.
    ["float32", float32, 0.1],
    ["float64", float64, 4],
  ] as const)
    test.each(special)(`%s within ${units} of 4 ${format} units`, (op) => {
      const expr = e.apply(op, ["x"]);
      const lowered = lower(expr, new Set(), precision);
      const bound = errorBound(expr, ["x"], precision);
      const [exact, got] = [compile([expr], ["x"]), compile([lowered], ["x"])];
      for (const x of [...points, 0, -0]) {
        const error = Math.abs((exact.run([x])[0] as number) - (got.run([x])[0] as number));
        expect(error).toBeLessThanOrEqual((units / 4) * bound([x]));
      }
      expect(got.run([Number.NaN])[0]).toBeNaN();
    });

  test("leaves only basic operations and those named native", () => {
    const lowered = lower(e.mul("x", e.tanh(e.softplus("x"))), new Set(["tanh"]), float32);
    const used = new Set(e.schedule([lowered]).map((node) => node.op));
    expect(used).toContain("tanh");
    expect(used).not.toContain("softplus");
  });
});
