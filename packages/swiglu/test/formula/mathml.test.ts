// MathML: read again by a strict parser of its own, element by element, for random, large and hostile expressions.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Activation, gradientExpressions } from "../../src/catalogue/activation.js";
import { activations } from "../../src/catalogue/catalogue.js";
import * as e from "../../src/expression/expr.js";
import { latex } from "../../src/expression/print.js";
import { mathml, mathmlWithParts } from "../../src/formula/mathml.js";
import { symbol } from "../../src/symbols.js";
import { expression } from "../expression/arbitrary.js";

/** How many children each element of presentation MathML that is used has; tokens have text. */
const children: Readonly<Record<string, number | "any" | "text">> = {
  math: "any",
  mrow: "any",
  msqrt: "any",
  mtable: "any",
  mtr: 2,
  mtd: "any",
  mfrac: 2,
  msup: 2,
  msub: 2,
  mi: "text",
  mn: "text",
  mo: "text",
  mtext: "text",
  mspace: 0,
};

/** Throws for what is not well-formed or not MathML; returns the text. */
function check(markup: string): string {
  const open: { name: string; count: number; text: string }[] = [{ name: "", count: 0, text: "" }];
  let [at, all] = [0, ""];
  for (const [token, end, name, attributes, text] of markup.matchAll(
    /<(\/?)([a-z]+)((?: [a-z]+="[^"<&]*")*)>|([^<]+)/g,
  )) {
    const top = open.at(-1) as (typeof open)[number];
    if (token === undefined) continue;
    at += token.length;
    if (text !== undefined) {
      if (children[top.name] !== "text") throw new Error(`text in ${top.name}: ${text}`);
      if (/&(?!(lt|gt|amp|quot);)|\p{Cc}/u.test(text)) throw new Error(`bad text ${text}`);
      top.text += text;
      all += text;
    } else if (end === "") {
      if (!Object.hasOwn(children, name as string)) throw new Error(`unknown element ${name}`);
      if (attributes !== "" && name !== "mspace") throw new Error(`attributes of ${name}`);
      top.count++;
      open.push({ name: name as string, count: 0, text: "" });
    } else {
      if (top.name !== name) throw new Error(`${name} ends ${top.name}`);
      const wanted = children[top.name];
      if (wanted === "text" ? top.text === "" || top.count > 0 : wanted !== "any" && wanted !== top.count)
        throw new Error(`${name} has ${top.count} children`);
      open.pop();
    }
  }
  if (at !== markup.length || open.length !== 1 || open[0]?.count !== 1)
    throw new Error("not one whole element");
  return all;
}

test("random expressions", () => {
  fc.assert(
    fc.property(expression(6), (expr) => {
      check(mathml(expr));
      check(mathmlWithParts(expr));
    }),
    { seed: 21, numRuns: 500 },
  );
});

test.each(Object.values<Activation>(activations))("$name and its gradients", (activation) => {
  for (const expr of [activation.expression, ...Object.values(gradientExpressions(activation))])
    expect(check(mathmlWithParts(expr))).not.toMatch(/undefined|object|NaN/);
});

describe("reads as the formula", () => {
  test.each([
    [e.mul("gate", e.sigmoid(e.mul("beta", "gate"))), "g\u2062σ\u2061(β\u2062g)"],
    [e.mul(e.add("x", 1), "y"), "(x+1)\u2062y"],
    [e.sub("x", e.sub("y", 1)), "x\u2212(y\u22121)"],
    [e.neg(e.neg("x")), "\u2212(\u2212x)"],
    [e.mul(2, 3), "2⋅3"],
    [e.mul("alphaP", 1e-7), "αp\u20621⋅10\u22127"],
    [e.selectGreater("x", 0, "x", e.expm1("x")), "{xx&gt;0ex\u22121otherwise"],
  ])("%#", (expr, spoken) => {
    expect(check(mathml(expr))).toBe(spoken);
  });
  test("powers and fractions are elements", () => {
    expect(mathml(e.div(e.mul("x", "x"), "y"))).toBe(
      "<math><mfrac><mrow><msup><mrow><mi>x</mi></mrow><mn>2</mn></msup></mrow><mrow><mi>y</mi></mrow></mfrac></math>",
    );
  });
});

test("a symbol for each name, the same in every notation", () => {
  const names = ["gate", "up", "x", "beta", "alphaP", "alpha_p", "beta2", "betas", "limit", "gateLimit"];
  expect(names.map(symbol)).toEqual([
    "g",
    "u",
    "x",
    "β",
    "α_p",
    "alpha_p",
    "β_2",
    "betas",
    "limit",
    "gateLimit",
  ]);
  expect(latex(e.variable("beta2"))).toBe("\\beta_2");
  expect(latex(e.variable("alphaMax"))).toBe("\\alpha_{max}");
  expect(mathml(e.variable("alphaP"))).toBe("<math><msub><mi>α</mi><mi>p</mi></msub></math>");
});

test("names are text, never markup", () => {
  const text = check(mathml(e.mul("<script>&", "\u0000\u202e")));
  expect(text).toBe("&lt;script&gt;&amp;\u2062\u{fffd}\u{fffd}");
});

test("large expressions are written in parts, and cut with a remark", () => {
  let deep: e.Expr = e.variable("x");
  for (let i = 0; i < 20_000; i++) deep = e.add(e.sigmoid(deep), i);
  const start = performance.now();
  const markup = mathml(deep);
  expect(check(markup)).toContain("cut here");
  expect(markup.length).toBeLessThan(500_000);
  expect(performance.now() - start).toBeLessThan(5000);
});
