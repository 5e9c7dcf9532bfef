// Expressions in writing: JSON in and out, with bad data refused; plain text and LaTeX.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as e from "../../src/expression/expr.js";
import { expressionFromJson, expressionToJson } from "../../src/expression/json.js";
import { latex, text } from "../../src/expression/print.js";
import { compile } from "../../src/expression/tape.js";
import { expression, names, point } from "./arbitrary.js";

describe("JSON", () => {
  test("reads back what it wrote, through text", () => {
    fc.assert(
      fc.property(expression(), (expr) => {
        const json = JSON.parse(JSON.stringify(expressionToJson(expr)));
        expect(expressionToJson(expressionFromJson(json))).toEqual(expressionToJson(expr));
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  test("numbers, names and operations", () => {
    expect(text(expressionFromJson(["mul", "gate", ["sigmoid", ["mul", "beta", 1.5]]]))).toBe(
      "gate * sigmoid(beta * 1.5)",
    );
  });

  const deep = JSON.parse(`${'["neg",'.repeat(65)}1${"]".repeat(65)}`);
  const wide = (levels: number): unknown =>
    levels === 0 ? "x" : ["add", wide(levels - 1), wide(levels - 1)];
  test.each([
    [["pow", "x", 2], 'expression[0] is "pow": expected an operation, one of neg, abs'],
    [["constructor", "x"], 'expression[0] is "constructor"'],
    [["__proto__", "x"], 'expression[0] is "__proto__"'],
    [["mul", "x"], "expression: mul takes 2 operands, got 1"],
    [["neg", ["mul", 1, ["exp"]]], "expression[1][2]: exp takes 1 operands, got 0"],
    [["neg", "x y"], 'expression[1] is "x y": expected a name'],
    [["neg", "process.exit()"], "expected a name of letters"],
    [["neg", null], "expression[1] is null: expected a number, a name, or"],
    [["neg", { op: "num" }], 'expression[1] is {"op":"num"}'],
    [[], "expression[0] is undefined"],
    [undefined, "expression is undefined"],
    [["neg", Number.NaN], "expression[1] is NaN: constants must be finite"],
    [deep, "is nested deeper than 64 levels"],
    [wide(12), "expression has more than 4096 parts"],
  ])("refuses %j", (json, message) => {
    expect(() => expressionFromJson(json)).toThrow(message);
  });

  test("an infinite constant cannot be written", () => {
    expect(() => expressionToJson(e.neg(Infinity))).toThrow("JSON cannot hold the constant Infinity");
  });
});

describe("text", () => {
  test.each([
    [e.mul(e.add("x", 1), "y"), "(x + 1) * y"],
    [e.sub("x", e.sub("y", 1)), "x - (y - 1)"],
    [e.div("x", e.mul("y", 2)), "x / (y * 2)"],
    [e.mul("x", e.mul("y", 2)), "x * (y * 2)"],
    [e.neg(e.add("x", "y")), "-(x + y)"],
    [e.mul(e.neg("x"), "y"), "(-x) * y"],
    [e.selectGreater("x", 0, "x", e.neg("x")), "x > 0 ? x : -x"],
    [e.mul(2, e.selectGreater("x", 0, 1, 0)), "2 * (x > 0 ? 1 : 0)"],
    [
      e.selectGreater(e.selectGreater("x", 0, 1, 0), e.selectGreater("y", 0, 1, 0), "x", "y"),
      "(x > 0 ? 1 : 0) > (y > 0 ? 1 : 0) ? x : y",
    ],
    [e.div("x", -0), "x / (-0)"],
    [e.clamp("x", -1, e.min("y", 2)), "clamp(x, -1, min(y, 2))"],
  ])("%# is %s", (expr, expected) => {
    expect(text(expr)).toBe(expected);
  });

  test("arithmetic reads back as JavaScript with the same value", () => {
    const arithmetic = expression().filter((expr) =>
      e
        .schedule([expr])
        .every((node) => !("args" in node) || /^(neg|add|sub|mul|div|selectGreater)$/.test(node.op)),
    );
    fc.assert(
      fc.property(arithmetic, point, (expr, at) => {
        const javascript = new Function(...names, `return ${text(expr)}`) as (...values: number[]) => number;
        const expected = compile([expr], names).run(at)[0] as number;
        if (!Number.isNaN(expected)) expect(javascript(...at)).toBe(expected);
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

test("LaTeX", () => {
  expect(latex(e.mul("gate", e.sigmoid(e.mul("beta", "gate"))))).toBe("g\\,\\sigma\\left(\\beta\\,g\\right)");
  expect(latex(e.div(e.add("x", 3), 6))).toBe("\\frac{x + 3}{6}");
  expect(latex(e.mul(2, 3))).toBe("2 \\cdot 3");
  expect(latex(e.mul(e.sub("up", "gateLimit"), "alphaP"))).toBe(
    "\\left(u - \\mathrm{gateLimit}\\right)\\,\\alpha_p",
  );
});
