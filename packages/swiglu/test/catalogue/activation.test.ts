// Definitions: what may be defined, how mistakes are answered, JSON, gated forms; and the scalar calls on top of them.
import { describe, expect, test } from "vitest";
import { expressionToJson } from "../../src/expression/json.js";
import * as entry from "../../src/index.js";
import {
  type Activation,
  activationByName,
  activationFromJson,
  activations,
  activationToJson,
  asGated,
  type Definition,
  defineActivation,
  expressions as e,
  evaluate,
  gradient,
  gradientExpressions,
  reference,
  relu,
  swiglu,
  swish,
  text,
  wasm,
} from "../../src/index.js";

/** What plain JavaScript may pass although the types forbid it. */
const wrong = <T>(value: unknown): T => value as T;

describe("the catalogue", () => {
  test("holds what the design lists, under the same names", () => {
    const unary =
      "identity sigmoid tanh relu relu2 elu selu gelu geluTanh quickGelu swish silu hardSwish mish softplus xsilu xatlu xielu leakyRelu relu6 gelu10 laplace";
    const gated =
      "glu bilinear reglu reglu2 drelu geglu gegluTanh gegluQuick seglu swiglu swigluOai swigluClamped swigluStep situGlu selfGlu swigluBlend";
    expect(Object.keys(activations)).toEqual(`${unary} ${gated}`.split(" "));
    for (const [name, activation] of Object.entries(activations)) {
      expect(activation.name).toBe(name);
      expect(activation.kind).toBe(unary.split(" ").includes(name) ? "unary" : "gated");
      expect(activation.source).not.toBe("");
      expect(Object.isFrozen(activation)).toBe(true);
    }
  });

  test("gives each activation under its own name", () => {
    const exported: Readonly<Record<string, unknown>> = entry;
    for (const [name, activation] of Object.entries(activations)) expect(exported[name]).toBe(activation);
  });

  test("has the published parameters and defaults", () => {
    const parameters = Object.entries(activations).flatMap(([name, { parameters }]) =>
      Object.keys(parameters).length > 0 ? [[name, parameters] as const] : [],
    );
    expect(Object.fromEntries(parameters)).toEqual({
      swish: { beta: 1 },
      xsilu: { alpha: 0 },
      xatlu: { alpha: 0 },
      xielu: { alphaP: 0.8, alphaN: 0.8, beta: 0.5 },
      swiglu: { beta: 1 },
      leakyRelu: { slope: 0.01 },
      // biome-ignore lint/suspicious/noApproximativeNumericConstant: these are the published digits, not the constant's.
      laplace: { mu: 0.707107, sigma: 0.282095 },
      swigluOai: { alpha: 1.702, limit: 7, offset: 1 },
      swigluClamped: { limit: 10 },
      swigluStep: { limit: 7 },
      situGlu: { gateLimit: 4, upLimit: 25 },
      swigluBlend: { beta: 1 },
    });
  });

  test("swigluOai's offset came later: what was kept before, as a definition or as parameters, gives the same", async () => {
    const { swigluOai } = activations;
    const gate = e.min("gate", "limit");
    const kept = activationFromJson({
      ...activationToJson(swigluOai),
      parameters: { alpha: 1.702, limit: 7 },
      expression: expressionToJson(
        e.mul(e.mul(gate, e.sigmoid(e.mul("alpha", gate))), e.add(e.clamp("up", e.neg("limit"), "limit"), 1)),
      ),
    });
    const values = [-30, -7, -1.5, -1, 0, 0.3, 4, 7, 7.5, 40];
    const pairs = values.flatMap((one) => values.map((other) => [one, other] as const));
    const inputs = {
      gate: Float32Array.from(pairs, ([one]) => one),
      up: Float32Array.from(pairs, ([, other]) => other),
    };
    for (const parameters of [{}, { alpha: 1.5, limit: 5 }]) {
      for (const [one, up] of pairs) {
        expect(evaluate(swigluOai, { gate: one, up }, parameters)).toBe(
          evaluate(kept, { gate: one, up } as never, parameters as never),
        );
        expect(gradient(swigluOai, { gate: one, up }, parameters)).toMatchObject(
          gradient(kept, { gate: one, up } as never, parameters as never),
        );
      }
      for (const backend of [await reference(), await wasm({ threads: 1 })])
        expect(await backend.activate(swigluOai, inputs, parameters)).toEqual(
          await backend.activate(kept, inputs as never, parameters as never),
        );
    }
  });

  test("knows its own names and suggests near ones", () => {
    expect(activationByName("swiglu")).toBe(swiglu);
    expect(() => activationByName("swigly")).toThrow("unknown activation swigly. Did you mean swiglu?");
    expect(() => activationByName("toString")).toThrow("unknown activation toString. The catalogue has");
  });

  test("formulas as text", () => {
    expect(text(swiglu.expression)).toBe("gate * sigmoid(beta * gate) * up");
    expect(text(activations.swigluBlend.expression)).toBe(
      "gate * sigmoid(beta * gate) + sigmoid(-beta * gate) * up",
    );
  });
});

describe("defineActivation", () => {
  const base = { name: "mine", kind: "unary", expression: e.exp("x") } as const;
  test("a user's activation has values and gradients like any other", () => {
    const siglu = defineActivation({
      name: "siglu",
      kind: "gated",
      parameters: { slope: 2 },
      expression: e.mul(e.sigmoid(e.mul("slope", "gate")), "up"),
    });
    expect(evaluate(siglu, { gate: 0, up: 3 })).toBe(1.5);
    expect(gradient(siglu, { gate: 0, up: 3 }, { slope: 4 })).toEqual({ gate: 3, up: 0.5, slope: 0 });
  });

  test.each<[string, Partial<Record<keyof Definition, unknown>>]>([
    ['name is "my act": expected a name of letters', { name: "my act" }],
    ["name is undefined: expected a name", { name: undefined }],
    ['mine: kind is binary, expected "unary" or "gated"', { kind: "binary" }],
    ["mine: self is up, expected", { self: "up" }],
    ["mine: source is number, expected a string", { source: 3 }],
    ["mine: the expression uses y, which is neither an input (x)", { expression: e.mul("x", "y") }],
    ["nor a parameter (beta)", { expression: e.mul("x", e.mul("y", "beta")), parameters: { beta: 1 } }],
    ["mine: the expression never uses beta; remove it or use it", { parameters: { beta: 1 } }],
    ["mine: the expression never uses x", { expression: 3 }],
    [
      "mine: the expression contains a constant that is not finite, Infinity",
      { expression: e.min("x", Infinity) },
    ],
    ["mine: parameter beta is NaN, expected a finite number", { parameters: { beta: Number.NaN } }],
    ["mine: parameter beta is 1, expected a finite number", { parameters: { beta: "1" } }],
    ["mine: parameter gate has a reserved name (x, gate, up", { parameters: { gate: 1 } }],
    ["mine: parameters must be an object", { parameters: [1] }],
  ])("%s", (message, change) => {
    expect(() => defineActivation(wrong<Definition>({ ...base, ...change }))).toThrow(message);
  });
});

describe("JSON", () => {
  test.each(Object.values(activations))(
    "$name survives a round trip through text",
    (activation: Activation) => {
      const again = activationFromJson(JSON.parse(JSON.stringify(activationToJson(activation))));
      expect(activationToJson(again)).toEqual(activationToJson(activation));
      expect(again.self).toBe(activation.self);
      const slopes = (a: Activation) => Object.values(gradientExpressions(a)).map(text);
      expect(slopes(again)).toEqual(slopes(activation));
    },
  );

  test.each([
    [null, "activation is null, expected { name, kind, expression, ... }"],
    [[], "activation is [], expected"],
    [{ name: "a", kind: "unary", expression: "x", code: "f()" }, "activation has an unknown field code"],
    [{ name: "a", kind: "unary" }, "expression is undefined"],
    [{ name: "a", kind: "unary", expression: ["sin", "x"] }, 'expression[0] is "sin": expected an operation'],
    [
      { name: "a", kind: "unary", expression: ["mul", "x", "w"] },
      "uses w, which is neither an input (x) nor",
    ],
    [JSON.parse('{"name":"a","kind":"unary","expression":"x","__proto__":{}}'), "unknown field __proto__"],
    [
      JSON.parse('{"name":"a","kind":"unary","expression":"x","parameters":{"__proto__":1}}'),
      'a: a parameter is "__proto__": expected a name',
    ],
  ])("refuses %j", (json, message) => {
    expect(() => activationFromJson(json)).toThrow(message);
  });
});

test("asGated: a unary activation gates up, a gated one stays as it is", () => {
  expect(text(asGated(relu).expression)).toBe("relu(gate) * up");
  expect(evaluate(asGated(swish), { gate: 1.5, up: -2 }, { beta: 1.7 })).toBe(
    evaluate(swiglu, { gate: 1.5, up: -2 }, { beta: 1.7 }),
  );
  expect(asGated(swiglu)).toBe(swiglu);
});

describe("evaluate and gradient", () => {
  test("the design's example", () => {
    const sigmoid = 1 / (1 + Math.exp(-1.7 * 1.5));
    expect(evaluate(swiglu, { gate: 1.5, up: -2 }, { beta: 1.7 })).toBeCloseTo(1.5 * sigmoid * -2, 15);
    const slopes = gradient(swiglu, { gate: 1.5, up: -2 }, { beta: 1.7 });
    expect(slopes.gate).toBeCloseTo(-2 * (sigmoid + 1.5 * 1.7 * sigmoid * (1 - sigmoid)), 14);
    expect(slopes.up).toBeCloseTo(1.5 * sigmoid, 15);
    expect(slopes.beta).toBeCloseTo(-2 * 1.5 * 1.5 * sigmoid * (1 - sigmoid), 14);
  });

  test("parameters take their defaults", () => {
    expect(evaluate(swish, { x: 2 })).toBe(evaluate(swish, { x: 2 }, { beta: 1 }));
  });

  test.each<[string, () => unknown]>([
    [
      "unknown input upp: swiglu takes gate and up. Did you mean up?",
      () => evaluate(swiglu, wrong({ gate: 1, upp: 2 })),
    ],
    [
      "input up is undefined, expected a number: swiglu takes gate and up",
      () => evaluate(swiglu, wrong({ gate: 1 })),
    ],
    [
      "parameter beta is NaN, expected a finite number",
      () => evaluate(swish, { x: 1 }, { beta: Number.NaN }),
    ],
    ["unknown parameter alpha: swish takes beta.", () => gradient(swish, { x: 1 }, wrong({ alpha: 1 }))],
  ])("%s", (message, call) => {
    expect(call).toThrow(message);
  });

  test("the compiler refuses what the run time refuses", () => {
    // @ts-expect-error: upp is not an input
    expect(() => evaluate(swiglu, { gate: 1, upp: 2 })).toThrow();
    // @ts-expect-error: relu takes x
    expect(() => evaluate(relu, { gate: 1, up: 2 })).toThrow();
    // @ts-expect-error: relu has no parameters
    expect(() => evaluate(relu, { x: 1 }, { beta: 1 })).toThrow();
    // @ts-expect-error: alpha is not a parameter of swish
    expect(() => evaluate(swish, { x: 1 }, { alpha: 1 })).toThrow();
  });
});
