// Activations from one line of text.
import { expect, test } from "vitest";
import { activationFromJson, activationToJson } from "../../src/catalogue/activation.js";
import { activationFromText } from "../../src/formula/activation.js";
import { evaluate, gradient } from "../../src/scalar.js";

test("a name, parameters with defaults, and the kind from the inputs", () => {
  const mine = activationFromText("mine(beta = 2, shift = -1e-1) = gate * σ(β * gate + shift) * up");
  expect(mine).toMatchObject({ name: "mine", kind: "gated", parameters: { beta: 2, shift: -0.1 } });
  expect(evaluate(mine, { gate: 0.05, up: 8 })).toBeCloseTo(0.2, 12);
  expect(Object.keys(gradient(mine, { gate: 1, up: 1 }))).toEqual(["gate", "up", "beta", "shift"]);
  expect(activationFromJson(activationToJson(mine)).source).toBe(mine.source);
});

test("without a name; options beside", () => {
  expect(activationFromText("silu(x)")).toMatchObject({ name: "formula", kind: "unary" });
  const options = { name: "soft", parameters: { k: 3 }, source: "a note" };
  expect(activationFromText("x * tanh(k * x)", options)).toMatchObject(options);
  expect(activationFromText("p * p, p = x + 1")).toMatchObject({ kind: "unary" });
});

test.each([
  ["silu(gate)", "the formula uses gate: expected x, for a unary activation, or both gate and up"],
  ["silu(x) * up", "the formula uses x and up"],
  ["1 + 1", "the formula uses no input"],
  ["silu(gat) * up", "column 6: gat is not a name here: expected x, gate and up. Did you mean gate?"],
  ["mine(k = ) = x", "column 10: expected a number as the default of k"],
  ["mine(k = 1 = x", 'expected ")" after the parameters'],
  ["mine(k = 1, k = 2) = x", "k is given twice"],
  ["mine(k = 1) x", 'expected "=" before the formula'],
  ["mine(k = 1) = x", "never uses k"],
  ["mine(gate = 1) = gate * up", "reserved name"],
  ["constructor = x", "which every object of JavaScript has"],
  ["mine = ", "got the end"],
])("%s", (text, problem) => {
  expect(() => activationFromText(text)).toThrow(problem);
});
