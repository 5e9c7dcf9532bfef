// Formulas as text: what is read, that it is the inverse of what is written, and what mistakes are told, and how soon.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Activation, gradientExpressions } from "../../src/catalogue/activation.js";
import { activations } from "../../src/catalogue/catalogue.js";
import * as e from "../../src/expression/expr.js";
import { text, textWithParts } from "../../src/expression/print.js";
import { compile } from "../../src/expression/tape.js";
import { expressionFromText } from "../../src/formula/parse.js";
import { expression, names, point } from "../expression/arbitrary.js";

/** The values of two expressions, which must be the same numbers: only -0 and the way to NaN may differ. */
function expectSame(a: e.Expr, b: e.Expr, variables: readonly string[], at: readonly number[]): void {
  const [x, y] = compile([a, b], variables).run(at) as unknown as [number, number];
  expect(Object.is(x, y) || x === y, `${text(a)} is ${x}, ${text(b)} is ${y}`).toBe(true);
}

describe("the inverse of what is written", () => {
  test("text", () => {
    fc.assert(
      fc.property(expression(5), point, (expr, at) => {
        expectSame(expr, expressionFromText(text(expr)), names, at);
      }),
      { seed: 11, numRuns: 2000 },
    );
  });

  test("text with named parts, of repeated parts as of large ones", () => {
    const doubled = expression(4).map((expr) => e.mul(e.add(expr, e.exp(expr)), e.sub(expr, "x")));
    fc.assert(
      fc.property(doubled, point, (expr, at) => {
        const written = textWithParts(expr);
        expectSame(expr, expressionFromText(written), names, at);
      }),
      { seed: 12, numRuns: 1000 },
    );
    const terms = Array.from({ length: 300 }, (_, i) => e.softplus(e.mul("beta", i + 0.5)));
    const large = terms.reduce((sum: e.Expr, term) => e.add(sum, term), e.variable("x"));
    expect(text(large)).toContain(", p = ");
    expectSame(large, expressionFromText(text(large)), names, [1, 2, 0.25]);
  });

  test.each(Object.values<Activation>(activations))("$name and its gradients", (activation) => {
    const variables = [...activation.inputs, ...Object.keys(activation.parameters), "dy"];
    for (const expr of [activation.expression, ...Object.values(gradientExpressions(activation))])
      for (const write of [text, textWithParts])
        for (const at of [-7.5, -1, -0.3, 0, 0.7, 4, 40])
          expectSame(
            expr,
            expressionFromText(write(expr)),
            variables,
            variables.map((_, i) => at + i / 3),
          );
  });

  test("constants: negative zero, infinities, the least and the greatest numbers", () => {
    for (const value of [-0, Infinity, -Infinity, 5e-324, Number.MAX_VALUE, -1e-7, 1e21]) {
      const read = expressionFromText(text(e.mul(e.num(value), "x")));
      expect(compile([read], ["x"]).run([1])[0]).toBe(value);
    }
  });

  test("names that are words elsewhere, where they are declared", () => {
    const expr = e.mul("pi", e.add("e", "silu"));
    expectSame(
      expr,
      expressionFromText(text(expr), { names: ["pi", "e", "silu"] }),
      ["pi", "e", "silu"],
      [2, 3, 5],
    );
  });
});

test.each([
  ["silu(gate) * up", "gate * sigmoid(gate) * up"],
  ["swish(gate, β) * up", "gate * sigmoid(beta * gate) * up"],
  ["swish(gate) * up", "gate * sigmoid(1 * gate) * up"],
  ["swiglu(gate, up, 2)", "gate * sigmoid(2 * gate) * up"],
  ["σ(α_p·x) − αP", "sigmoid(alphaP * x) - alphaP"],
  ["x^2", "x * x"],
  ["x² + x**3", "x * x + x * (x * x)"],
  ["x^-1", "1 / x"],
  ["x^(-2)", "1 / (x * x)"],
  ["x⁻²", "1 / (x * x)"],
  ["x^0.5", "sqrt(x)"],
  ["-x^2", "-x * x"],
  ["-2^2", "-2 * 2"],
  ["1 / (1 + e^-x)", "1 / (1 + exp(-x))"],
  ["e^x^2 * 2", "exp(x * x) * 2"],
  ["2 * -x * y", "2 * (-x) * y"],
  ["1e-3 + .5 + 2.", "0.001 + 0.5 + 2"],
  ["x - y - 1", "x - y - 1"],
  ["x / y / 2 * 3", "x / y / 2 * 3"],
  ["ln(x) + arctan(x)", "log(x) + atan(x)"],
  ["Φ(x)", "normalCdf(x)"],
  ["clamp(x, -1, max(1, y))", "clamp(x, -1, max(1, y))"],
  ["x < y ? 1 : 0", "y > x ? 1 : 0"],
  ["x >= 0 ? 1 : 2", "0 > x ? 2 : 1"],
  ["x ≤ 0 ? 1 : 2", "x > 0 ? 2 : 1"],
  ["x > 0 ? x : y > 0 ? y : 0", "x > 0 ? x : y > 0 ? y : 0"],
  ["p * sigmoid(p), p = q + 1, q = min(gate, 7)", "(min(gate, 7) + 1) * sigmoid(min(gate, 7) + 1)"],
  ["pi * e", "3.141592653589793 * e"],
])("%s is %s", (source, written) => {
  expect(text(expressionFromText(source))).toBe(written);
});

describe("mistakes", () => {
  test("the place is under the text", () => {
    expect(() => expressionFromText("silu(gate) * (up + )")).toThrow(
      new SyntaxError(
        'formula, column 20: expected a number, a name or "(", got ")".\n  silu(gate) * (up + )\n                     ^',
      ),
    );
  });

  test.each([
    ["", 1, 'expected a number, a name or "(", got the end'],
    ["silu(gate", 10, 'expected ")", got the end. For silu( in column 1.'],
    ["(x", 3, 'expected ")", got the end. For ( in column 1.'],
    ["x)", 2, 'There is no "(" for it.'],
    ["siluu(gate) * up", 1, "siluu is not a function. Did you mean silu?"],
    ["gate(up)", 1, "gate is not a function"],
    ["silu * up", 1, "silu is a function: write silu(x)."],
    ["2x", 2, 'expected an operator after the number 2, got "x": write a product with *.'],
    ["x y", 3, 'expected an operator, got "y". Write a product with *.'],
    ["x (y)", 1, "x is not a function"],
    ["(x) (y)", 5, 'expected an operator, got "("'],
    ["x | y", 3, "Write abs(x) for |x|."],
    ["x % y", 3, "There is no remainder"],
    ["clamp(x, 1)", 1, "clamp got too few arguments: it is clamp(x, low, high)."],
    ["silu(x, y)", 7, "silu got too many arguments: it is silu(x)."],
    ["exp()", 5, "expected an argument, got"],
    ["x > y", 6, 'expected "?" after a comparison, got the end'],
    ["x > y > z ? 1 : 2", 7, "There is one comparison in each choice."],
    ["x > 0 ? 1", 10, 'expected ":", got the end. For the "?" in column 7.'],
    ["x ? 1 : 2", 3, 'expected a comparison before "?"'],
    ["x : 2", 3, '":" stands after a "?"'],
    ["x^y", 3, "expected a whole number up to 64, or 0.5, after ^"],
    ["x^1e9", 3, "expected a whole number up to 64"],
    ["x^2^2", 4, "Put powers of powers in brackets."],
    ["x == 1", 3, "There is no equality"],
    ["1e999", 1, "too large"],
    ["1.2.3", 4, 'expected the end of the number 1.2, got "."'],
    ["x + constructor", 5, "every object of JavaScript has"],
    ["p, p = p + 1", 4, "p is defined by itself"],
    ["p, p = q, q = p", 11, "q is defined by itself, through p"],
    ["x, p = 1", 4, "p is defined and never used"],
    ["p, p = 1, p = 2", 11, "p is defined twice"],
    ["x, 3", 4, "expected the name of a part"],
    ["x, silu = 1", 4, "silu is a function: choose another name"],
    ["require('fs')", 9, 'got "\'" (U+0027)'],
    ["x\u0000", 2, "got the character U+0000"],
    ["x\u202e+y", 2, "got the character U+202E"],
    ["х + 1", 1, 'got "х" (U+0445)'],
    ["p, ... (cut here)", 4, "expected"],
  ])("%j: column %i, %s", (source, column, problem) => {
    const read = (): unknown => expressionFromText(source);
    expect(read).toThrow(SyntaxError);
    expect(read).toThrow(new RegExp(`column ${column}: `));
    expect(read).toThrow(problem);
  });

  test("names that are not declared, with the nearest one", () => {
    expect(() => expressionFromText("gat * up", { names: ["gate", "up"] })).toThrow(
      "column 1: gat is not a name here: expected gate and up. Did you mean gate?",
    );
  });

  test("what is not a text", () => {
    expect(() => expressionFromText(42 as never)).toThrow("formula is number, expected a string");
  });

  test("the shown text is one line of ordinary characters, also of a long one", () => {
    const source = `${"x + ".repeat(100)}\n\u001b[31m`;
    const { message } = thrown(() => expressionFromText(source));
    expect(message.split("\n")).toHaveLength(3);
    expect(message.replaceAll("\n", "")).not.toMatch(/\p{C}/u);
    expect(message.length).toBeLessThan(300);
    const [, shown = "", caret = ""] = message.split("\n");
    expect(shown[caret.indexOf("^")]).toBe("\u{fffd}");
  });
});

describe("hostile text gives a sentence, or an expression, at once", () => {
  const mega = 1_000_000;
  const cases: readonly (readonly [string, string])[] = [
    ["1 MB of brackets", "(".repeat(mega)],
    ["brackets", "(".repeat(29_000)],
    ["brackets, closed", `${"(".repeat(14_000)}x${")".repeat(14_000)}`],
    ["calls", `${"exp(".repeat(6000)}x${")".repeat(6000)}`],
    ["minuses", `${"-".repeat(29_000)}x`],
    ["exponentials", `${"e^".repeat(14_000)}x`],
    ["choices", `${"x>0?1:".repeat(4900)}x`],
    ["nested choices", `${"x>0?".repeat(7000)}x`],
    ["commas", ",".repeat(29_000)],
    ["one long name", "a".repeat(29_000)],
    ["many names", Array.from({ length: 5000 }, (_, i) => `a${i}`).join("+")],
    ["digits", "9".repeat(29_000)],
    ["powers of powers", `${"(".repeat(4000)}x${")^64".repeat(4000)}`],
    ["activations within activations", `${"gelu(".repeat(4000)}x${")".repeat(4000)}`],
    [
      "parts that double",
      `p0${Array.from({ length: 1800 }, (_, i) => `,p${i}=p${i + 1}*p${i + 1}`).join("")},p1800=x`,
    ],
    ["combining marks", `x${"\u0301".repeat(20_000)}`],
    ["emoji", "😀".repeat(10_000)],
    ["lone surrogates", "\ud800".repeat(10_000)],
  ];
  test.each(cases)("%s", (_, source) => {
    const start = performance.now();
    try {
      expressionFromText(source, { names: ["x"] });
    } catch (error) {
      expect(error).toBeInstanceOf(SyntaxError);
      expect((error as Error).message.length).toBeLessThan(1000);
    }
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test("any text", () => {
    const pieces = fc.constantFrom(
      ..."x gate silu( exp( ( ) , ? : > < ^ 2 1e9 - + * / = e σ β . π ² \u0000".split(" "),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((parts) => parts.join(" ")),
        ),
        (source) => {
          try {
            expressionFromText(source);
          } catch (error) {
            expect(error).toBeInstanceOf(SyntaxError);
            expect((error as Error).message).toMatch(/^formula, column \d+: [^\n]+\n {2}.*\n *\^$/);
          }
        },
      ),
      { seed: 13, numRuns: 3000 },
    );
  });
});

function thrown(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}
