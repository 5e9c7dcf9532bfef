// Long formulas: a chain of 100,000 operations goes through everything in time linear in their number, text and JSON stay
// small where parts repeat, and what an engine cannot take is refused with a sentence.

import { describe, expect, test } from "vitest";
import { lower } from "../../src/expression/lower.js";
import { postOrder } from "../../src/expression/walk.js";
import {
  activationFromJson,
  activationToJson,
  asGated,
  compile,
  defineActivation,
  differentiate,
  expressions as e,
  errorBound,
  evaluate,
  expressionFromJson,
  expressionToJson,
  float32,
  gradient,
  latex,
  latexWithParts,
  reference,
  simplify,
  text,
  textWithParts,
  wasm,
} from "../../src/index.js";
import { differentiable } from "../../src/jax/forms.js";
import { emitNodes } from "../../src/onnx/expression/emit.js";
import { lowerAll as lowerForTfjs } from "../../src/tfjs/emit.js";
import { ModuleBuilder } from "../../src/wasm/assembler/module.js";
import { elementwiseKernel } from "../../src/wasm/elementwise/kernels.js";
import { activationShader } from "../../src/webgpu/elementwise/kernels.js";
import { slowExtent } from "../conformance/extent.js";

/** Both are deeper than a stack. */
const long = slowExtent === "full" ? 100_000 : 20_000;

/** Operations on what came before, again and again; values stay moderate. Each beside what it does to a value and a slope. */
type Step = readonly [(x: e.Expr) => e.Expr, (value: number, slope: number) => [number, number]];
const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
const plain: readonly Step[] = [
  [(x) => e.mul(x, 0.9), (v, d) => [v * 0.9, d * 0.9]],
  [(x) => e.add(x, "b"), (v, d) => [v + 0.1, d]],
  [(x) => e.sub(1, x), (v, d) => [1 - v, -d]],
  [(x) => e.mul(x, 1 / 0.9), (v, d) => [v * (1 / 0.9), d * (1 / 0.9)]],
];
const all: readonly Step[] = [
  ...plain,
  [(x) => e.tanh(x), (v, d) => [Math.tanh(v), d * (1 - Math.tanh(v) ** 2)]],
  [(x) => e.neg(x), (v, d) => [-v, -d]],
  [(x) => e.selectGreater(x, 0, x, e.mul(0.5, x)), (v, d) => (v > 0 ? [v, d] : [v / 2, d / 2])],
  [(x) => e.sigmoid(x), (v, d) => [sigmoid(v), d * sigmoid(v) * sigmoid(-v)]],
  [(x) => e.clamp(x, -2, 2), (v, d) => [v, Math.abs(v) > 2 ? 0 : d]],
  [(x) => e.softplus(x), (v, d) => [Math.log1p(Math.exp(v)), d * sigmoid(v)]],
];

function chain(length: number, steps: readonly Step[]): e.Expr {
  let x = e.toExpr("x");
  for (let i = 0; i < length; i++) x = (steps[i % steps.length] as Step)[0](x);
  return x;
}

/** The same chain at a point where b is 0.1, by plain steps, with its derivative in x. */
function plainly(length: number, steps: readonly Step[], x: number) {
  let [value, slope] = [x, 1];
  for (let i = 0; i < length; i++) [value, slope] = (steps[i % steps.length] as Step)[1](value, slope);
  return { value, slope };
}

const deep = chain(long, plain);
const size = (expr: e.Expr): number => e.schedule([expr]).length;

describe(`a chain of ${long} operations`, () => {
  const activation = defineActivation({
    name: "long",
    kind: "unary",
    parameters: { b: 0.1 },
    expression: deep,
  });

  test("simplifies, has a value and a gradient", () => {
    expect(size(simplify(deep))).toBeGreaterThan(long);
    const { value, slope } = plainly(long, plain, 0.7);
    expect(evaluate(activation, { x: 0.7 })).toBeCloseTo(value, 9);
    const slopes = gradient(activation, { x: 0.7 });
    expect(slopes.x).toBeCloseTo(slope, 9);
    expect(slopes.b).toBeCloseTo((evaluate(activation, { x: 0.7 }, { b: 0.2 }) - value) / 0.1, 6);
  });

  test("goes through JSON and back, and through substitution", () => {
    const json = JSON.parse(JSON.stringify(activationToJson(activation)));
    const again = activationFromJson(json);
    expect(evaluate(again, { x: 0.7 })).toBe(evaluate(activation, { x: 0.7 }));
    expect(size(again.expression)).toBeLessThanOrEqual(size(deep));
    expect(compile([e.substitute(deep, { b: 0.1 })], ["x"]).run([0.7])[0]).toBe(
      evaluate(activation, { x: 0.7 }),
    );
    expect(evaluate(asGated(activation), { gate: 0.7, up: 2 })).toBe(2 * evaluate(activation, { x: 0.7 }));
  });

  test("is written in at most 25,000 characters, which say what is left out", () => {
    for (const write of [text, latexWithParts]) {
      const written = write(deep);
      expect(written.length).toBeLessThan(25_000);
      expect(written).toMatch(/cut here: \d+ of \d+ parts are left out/);
    }
  });

  test("is lowered, and emitted for ONNX, TensorFlow.js and WGSL's and WebAssembly's limits", () => {
    expect(size(lower(deep, new Set(), float32))).toBeGreaterThan(long);
    for (const math of ["exact", "fast"] as const)
      expect(
        emitNodes([deep], { inputs: { x: "x", b: "b" }, outputs: ["y"], prefix: "p", math }).nodes.length,
      ).toBeGreaterThanOrEqual(long);
    expect(lowerForTfjs([deep]).length).toBe(1);
    const shape = { interleaved: false, perChannel: [false] };
    const module = new ModuleBuilder({ shared: false, initial: 1, maximum: 1 });
    const tooLong = { ...activation, expression: chain(60_000, plain) };
    expect(() => elementwiseKernel("forward", tooLong, shape).add(module, "plain")).toThrow(
      /no WebAssembly function may have: the formula is too long/,
    );
    expect(() =>
      activationShader(activation, {
        direction: "forward",
        layout: "separate",
        width: 4,
        storage: "f32",
        perChannel: [false],
        parameterGradients: true,
      }),
    ).toThrow(/operations, more than the 10000 that a WebGPU kernel may have/);
  });

  test("on the reference backend", async () => {
    const y = await (await reference()).activate(activation, { x: Float32Array.of(0.7, -1) });
    expect(y[0]).toBeCloseTo(plainly(long, plain, Math.fround(0.7)).value, 5);
  });
});

test("a chain of 10,000 operations of every kind has a value and a gradient, and reads back from JSON", () => {
  const parameters = { b: 0.1 };
  const expression = chain(10_000, all);
  const activation = defineActivation({ name: "long", kind: "unary", parameters, expression });
  const { value, slope } = plainly(10_000, all, 0.7);
  expect(evaluate(activation, { x: 0.7 })).toBeCloseTo(value, 12);
  expect(gradient(activation, { x: 0.7 }).x).toBeCloseTo(slope, 12);
  expect(evaluate(activationFromJson(activationToJson(activation)), { x: 0.7 })).toBe(
    evaluate(activation, { x: 0.7 }),
  );
});

test("on jax-js: selections within selections are refused before they take forever", () => {
  let expr = e.toExpr("x");
  for (let i = 0; i < 500; i++) expr = e.selectGreater(expr, 0, expr, e.mul(0.5, expr));
  expect(() => differentiable(expr)).toThrow("too many selections");
  let smooth = e.toExpr("x");
  for (let i = 0; i < 20_000; i++) smooth = e.mul(e.add(smooth, 1), 0.5);
  expect(size(differentiable(smooth))).toBeGreaterThan(40_000);
});

test("time is linear in the number of operations: four times as many take at most ten times as long", () => {
  const timed = (length: number): number => {
    const expr = chain(length, all);
    const began = performance.now();
    differentiate(expr, "x");
    lower(expr, new Set(), float32);
    expressionToJson(expr);
    text(expr);
    return performance.now() - began;
  };
  timed(2000);
  const [short, longer] = [timed(5000), timed(20_000)];
  expect(longer).toBeLessThan(10 * short + 500);
});

test("kernels of 1,000 operations run, however they are nested", async () => {
  let expr = e.toExpr("x");
  for (let i = 0; i < 1000; i++) expr = e.add(e.mul(expr, 0.5), 1);
  const activation = defineActivation({ name: "nested", kind: "unary", expression: expr });
  const backend = await wasm({ threads: 1 });
  expect((await backend.activate(activation, { x: Float32Array.of(3) }))[0]).toBeCloseTo(2, 6);
  const code = activationShader(activation, {
    direction: "forward",
    layout: "separate",
    width: 1,
    storage: "f32",
    perChannel: [],
    parameterGradients: false,
  });
  const nesting = [...code].reduce(
    ([open, most], letter) => {
      const now = open + (letter === "(" ? 1 : letter === ")" ? -1 : 0);
      return [now, Math.max(most, now)] as [number, number];
    },
    [0, 0] as [number, number],
  );
  expect(nesting[1]).toBeLessThan(100);
});

describe("formulas whose parts repeat", () => {
  /** The depth of the nesting whose gradient never ended as text. */
  const nested = (depth: number): e.Expr => {
    let expr = e.toExpr("x");
    for (let i = 0; i < depth; i++) expr = e.abs(e.sub(expr, i + 0.5));
    return expr;
  };

  test.each([20, 30, 1000])(
    "the gradient of abs nested %d deep is written at once, each part once",
    (depth) => {
      const slope = differentiate(nested(depth), "x");
      for (const write of [text, textWithParts, latex, latexWithParts]) {
        const began = performance.now();
        expect(write(slope).length).toBeLessThan(25_000);
        expect(performance.now() - began).toBeLessThan(1000);
      }
    },
  );

  test("what is short is written as it is, and what is long names its parts", () => {
    expect(text(differentiate(nested(1), "x"))).toBe("x - 0.5 > 0 ? 1 : 0 > x - 0.5 ? -1 : 0");
    const written = text(differentiate(nested(20), "x"));
    expect(written).toMatch(/, p = abs\(x - 0.5\)/);
    expect(written).not.toContain("cut here");
    expect(latex(differentiate(nested(20), "x"))).toContain("t_{1} = ");
  });

  test("a formula of 2^60 parts, most of them the same, goes through JSON", () => {
    let expr = e.toExpr("x");
    for (let i = 0; i < 60; i++) expr = e.mul(expr, expr);
    const json = expressionToJson(expr);
    expect(JSON.stringify(json).length).toBeLessThan(2000);
    expect(compile([expressionFromJson(json)], ["x"]).run([1 + 2 ** -52])[0]).toBe(
      compile([expr], ["x"]).run([1 + 2 ** -52])[0],
    );
    const activation = defineActivation({ name: "power", kind: "unary", expression: expr });
    expect(evaluate(activationFromJson(activationToJson(activation)), { x: 1 })).toBe(1);
  });
});

describe("JSON in steps", () => {
  test("is what is written where nesting would be too deep, and reads back", () => {
    expect(expressionToJson(e.exp(e.mul("x", 2)))).toEqual(["exp", ["mul", "x", 2]]);
    const json = expressionToJson(chain(70, plain)) as { readonly steps: readonly (readonly unknown[])[] };
    expect(json.steps[0]).toEqual(["mul", "x", 0.9]);
    expect(json.steps[1]).toEqual(["add", "#0", "b"]);
    expect(
      text(
        expressionFromJson({
          steps: [
            ["mul", "x", "x"],
            ["exp", "#0"],
          ],
        }),
      ),
    ).toBe("exp(x * x)");
  });

  test.each([
    [{ steps: [] }, "expression.steps is []: expected from 1 to 1000000 steps"],
    [{ steps: 3 }, "expression.steps is 3: expected from 1 to"],
    [{ steps: [["exp", "#0"]] }, 'expression.steps[0][1] is "#0": expected an earlier step'],
    [
      {
        steps: [
          ["exp", "x"],
          ["exp", "#1"],
        ],
      },
      'expression.steps[1][1] is "#1": expected an earlier step',
    ],
    [{ steps: [["exp", "#-1"]] }, 'expression.steps[0][1] is "#-1": expected an earlier step'],
    [
      { steps: [["exp", ["exp", "x"]]] },
      'expression.steps[0][1] is ["exp","x"]: expected a number, a name, or an earlier',
    ],
    [{ steps: [["pow", "x", 2]] }, 'expression.steps[0][0] is "pow": expected an operation'],
    [{ steps: [["mul", "x"]] }, "expression.steps[0]: mul takes 2 operands, got 1"],
    [{ steps: [["exp", Number.NaN]] }, "expression.steps[0][1] is NaN: constants must be finite"],
    [{ steps: ["x"] }, 'expression.steps[0] is "x": expected ["operation", ...operands]'],
    [{ steps: [["exp", "toString"]] }, 'expression.steps[0][1] is "toString", which every object'],
    [{ steps: [["exp", "x"]], more: 1 }, "unknown field more: an expression in steps takes steps"],
  ])("refuses %j", (json, message) => {
    expect(() => expressionFromJson(json)).toThrow(message);
  });

  test("refuses more than a million steps, without reading them", () => {
    const steps = new Array(1_000_001).fill(["exp", "x"]);
    expect(() => expressionFromJson({ steps })).toThrow("expected from 1 to 1000000 steps");
  });
});

test("the error bound of a long formula", () => {
  expect(errorBound(chain(2000, all), ["x", "b"])([0.7, 0.1])).toBeLessThan(1e-5);
});

test("the walk: each node once, after its parts, in the order of a recursion", () => {
  const parts: Record<string, string[]> = { a: ["b", "c"], b: ["d"], c: ["d", "b"], d: [] };
  expect(postOrder(["a", "c"], (node) => parts[node] as string[])).toEqual(["d", "b", "c", "a"]);
});
