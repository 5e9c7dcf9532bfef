// Names from outside: those that every object of JavaScript has are refused where they would be defined, what an object
// inherits is not given, and no message repeats more than a line of what came, however long it was.
import { numpy as np } from "@jax-js/jax";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, test } from "vitest";
import {
  activationByName,
  activationFromJson,
  type Definition,
  defineActivation,
  expressions as e,
  evaluate,
  expressionFromJson,
  gradient,
  reference,
  swiglu,
  swish,
  wasm,
} from "../../src/index.js";
import { activate as activateJax, jaxFunction } from "../../src/jax/index.js";
import { activationGraph, emitNodes, toModel, toNodes } from "../../src/onnx-entry.js";
import { activate as activateTfjs, GatedDense, Swish } from "../../src/tfjs/index.js";

const wrong = <T>(value: unknown): T => value as T;
const inherited = ["constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf"];

describe("a name that every object has", () => {
  for (const name of [...inherited, "__proto__"])
    test(`${name} is refused as a parameter, a variable and an activation, in definitions and in JSON`, () => {
      const parameters = Object.fromEntries([[name, 1]]);
      const message =
        name === "__proto__" ? "expected a name of letters" : "which every object of JavaScript has";
      const expression = ["mul", "x", name];
      expect(() =>
        defineActivation({ name: "mine", kind: "unary", parameters, expression: e.mul("x", name) }),
      ).toThrow(message);
      const text = JSON.stringify({ name: "mine", kind: "unary", expression, parameters });
      expect(() => activationFromJson(JSON.parse(text))).toThrow(message);
      expect(() => expressionFromJson(expression)).toThrow(message);
      expect(() => defineActivation({ name, kind: "unary", expression: "x" })).toThrow(message);
      expect(() => activationByName(name)).toThrow(`unknown activation ${name}`);
      expect(() => activationGraph(name)).toThrow(`unknown activation ${name}`);
      expect(() => new GatedDense({ units: 2, activation: name })).toThrow(`unknown activation ${name}`);
    });

  test("is no variable that has a value, a tensor or a weight", () => {
    expect(() => emitNodes([e.variable("constructor")], { inputs: {}, outputs: ["y"], prefix: "p" })).toThrow(
      "inputs has no tensor for constructor",
    );
    const x = Float32Array.of(1);
    expect(() => evaluate(swish, { x: 1 }, wrong({ constructor: 1 }))).toThrow(
      "unknown parameter constructor",
    );
    expect(() => activateTfjs(swish, { x: tf.tensor1d([1]) }, wrong({ toString: 1 }))).toThrow("toString");
    expect(() => activateJax(swish, { x: np.array([1]) }, wrong({ valueOf: 1 }))).toThrow("valueOf");
    expect(() => new Swish(wrong({ parameters: { constructor: 1 } }))).toThrow("constructor");
    return expect(
      (async () => (await wasm({ threads: 1 })).activate(swish, { x }, wrong({ constructor: 1 })))(),
    ).rejects.toThrow("unknown parameter constructor");
  });
});

describe("what an object inherits is not given", () => {
  const heir = <T>(own: object, inherits: object): T => wrong(Object.assign(Object.create(inherits), own));

  test("parameters take their defaults", async () => {
    const parameters = heir<{ beta?: number }>({}, { beta: 3 });
    const [gate, up] = [Float32Array.of(1.5), Float32Array.of(2)];
    const expected = evaluate(swiglu, { gate: 1.5, up: 2 });
    expect(evaluate(swiglu, { gate: 1.5, up: 2 }, parameters)).toBe(expected);
    expect(gradient(swiglu, { gate: 1.5, up: 2 }, parameters)).toEqual(
      gradient(swiglu, { gate: 1.5, up: 2 }),
    );
    for (const backend of [await reference(), await wasm({ threads: 1 })])
      expect((await backend.activate(swiglu, { gate, up }, parameters))[0]).toBeCloseTo(expected, 6);
    const tensors = { gate: tf.tensor1d([1.5]), up: tf.tensor1d([2]) };
    expect(activateTfjs(swiglu, tensors, parameters).dataSync()[0]).toBeCloseTo(expected, 6);
    const y = jaxFunction(swiglu)(np.array([1.5]), np.array([2]), parameters);
    expect((await y.data())[0]).toBeCloseTo(expected, 6);
    const model = (given: object) => JSON.stringify(toModel(activationGraph("swiglu", given)));
    expect(model({ parameters })).toBe(model({}));
  });

  test("inputs, weights and tensors are missing", async () => {
    const inputs = heir<{ gate: number; up: number }>({ gate: 1 }, { up: 2 });
    expect(() => evaluate(swiglu, inputs)).toThrow("input up is undefined");
    const arrays = heir<{ gate: Float32Array; up: Float32Array }>(
      { gate: Float32Array.of(1) },
      { up: Float32Array.of(2) },
    );
    const weights = heir<{ gate: Float32Array; up: Float32Array; down: Float32Array }>(
      { gate: Float32Array.of(1), up: Float32Array.of(2) },
      { down: Float32Array.of(2) },
    );
    for (const backend of [await reference(), await wasm({ threads: 1 })]) {
      await expect((async () => backend.activate(swiglu, arrays))()).rejects.toThrow("input up is missing");
      await expect(
        (async () => backend.gatedFfn({ activation: swiglu, dModel: 1, dFf: 1, weights }))(),
      ).rejects.toThrow("weights.down is missing");
    }
    expect(() => activateTfjs(swiglu, heir({ gate: tf.tensor1d([1]) }, { up: tf.tensor1d([2]) }))).toThrow(
      "up is missing",
    );
    expect(() => activateJax(swiglu, heir({ gate: np.array([1]) }, { up: np.array([2]) }))).toThrow(
      "input up is missing",
    );
    expect(() =>
      toNodes(activationGraph("swiglu"), { inputs: heir({ gate: "g" }, { up: "u" }), output: "y" }),
    ).toThrow("inputs.up is missing");
  });
});

describe("a text of 10 MB, deep data and long lists", () => {
  const huge = "a".repeat(10_000_000);
  const deep = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`p${i}`, 1]));
  const long = new Array(1_000_000).fill("a");
  const calls: Record<string, () => unknown> = {
    "an activation's name": () => activationByName(huge),
    "a layer's activation": () => new GatedDense({ units: 1, activation: huge }),
    "a definition's name": () => defineActivation({ name: huge, kind: "unary", expression: "x" }),
    "its kind": () => defineActivation(wrong<Definition>({ name: "a", kind: huge, expression: "x" })),
    "its source": () => defineActivation({ name: "a", kind: "unary", expression: "x", source: huge }),
    "its self": () =>
      defineActivation(wrong<Definition>({ name: "a", kind: "gated", expression: "x", self: huge })),
    "a variable": () => defineActivation({ name: "a", kind: "unary", expression: e.mul("x", huge) }),
    "a default": () =>
      defineActivation(
        wrong<Definition>({ name: "a", kind: "unary", expression: "x", parameters: { b: huge } }),
      ),
    "a field": () => activationFromJson({ [huge]: 1 }),
    "an expression": () => expressionFromJson(huge),
    "an operation": () => expressionFromJson([huge, "x"]),
    "a deep expression": () => expressionFromJson(["exp", deep]),
    "a deep activation": () => activationFromJson([deep]),
    "a long expression": () => expressionFromJson(long),
    "a long activation": () => activationFromJson(long),
    "an object for an expression": () => expressionFromJson({ long, deep }),
    "many parameters": () =>
      activationFromJson({
        name: "a",
        kind: "unary",
        expression: "x",
        parameters: many,
      }),
    "a parameter": () => evaluate(swish, { x: 1 }, wrong({ [huge]: 1 })),
    "an input": () => evaluate(swish, wrong({ x: 1, [huge]: 1 })),
    "a parameter's value": () => evaluate(swish, { x: 1 }, wrong({ beta: huge })),
    "a parameter's value in TensorFlow.js": () =>
      activateTfjs(swish, { x: tf.tensor1d([1]) }, wrong({ beta: huge })),
  };
  for (const [what, call] of Object.entries(calls))
    test(`as ${what} gives an error of at most 2,000 characters within a second`, () => {
      const began = performance.now();
      let message = "";
      try {
        call();
      } catch (error) {
        message = (error as Error).message;
      }
      expect(message).not.toBe("");
      expect(message).not.toContain("call stack");
      expect(message.length).toBeLessThan(2000);
      expect(performance.now() - began).toBeLessThan(1000);
    });
});
