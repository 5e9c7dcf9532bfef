// Printed code whatever the activation is: names, sources and constants that would break out of it, large formulas, random ones.
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { transformWithOxc } from "vite";
import { expect, test } from "vitest";
import { activationFromJson, defineActivation } from "../../src/catalogue/activation.js";
import { type CodeTarget, codeTargets, toCode } from "../../src/code/to-code.js";
import { typescript } from "../../src/code/typescript.js";
import { writeCode } from "../../src/code/write.js";
import * as e from "../../src/expression/expr.js";
import { compile } from "../../src/expression/tape.js";
import { activationFromText } from "../../src/formula/activation.js";
import { expression, names, point } from "../expression/arbitrary.js";
import { find, unless } from "../runtimes/found.js";

const source = 'x */ throw 1; /* """ \\\n import os\n` $1 \u2028 \u202e %>';
const hostile = [
  defineActivation({ name: "relu", kind: "unary", expression: e.sigmoid("x"), source }),
  ...["torch", "sigmoid", "return", "float", "t1", "a", "gl_x", "a__b"].map((name) =>
    activationFromText(
      `${name}(t2 = 1, ops = 2, k = 3) = sigmoid(x * k) * sigmoid(x * k) * t2 + ops * gelu(x)`,
      { source },
    ),
  ),
  activationFromText("x * exp(1000)", { source }),
  activationFromText("min(x, exp(1000)) * 1e300 + 1e-320 * x"),
];

test.each(codeTargets)("%s: the comment holds the source", (target) => {
  for (const activation of hostile) {
    const code = toCode(activation, target);
    expect(code).not.toMatch(/[^\P{C}\n]|\u2028/u);
    const rest =
      target === "typescript"
        ? code.replace(/\/\*\*[\s\S]*?\*\//, "")
        : target === "onnx"
          ? code.replace(/^#.*$/gm, "")
          : code.replace(/^\/\/.*$/gm, "").replace(/"""[\s\S]*?"""/, "");
    expect(rest).not.toMatch(/throw|import os|undefined/);
    if (target === "wgsl" || target === "glsl" || target === "cuda" || target === "onnx")
      expect(rest).not.toMatch(/\binfinity|\bnan|\d{1000}/i);
  }
});

test.skipIf(find("pytorch") === undefined)(`Python compiles it${unless("pytorch")}`, () => {
  const codes = hostile.flatMap((activation) =>
    (["pytorch", "jax", "keras"] as const).map((target) => toCode(activation, target)),
  );
  const program = "import ast, json, sys\nfor code in json.load(sys.stdin): ast.parse(code)\nprint('ok')";
  const { stdout, stderr } = spawnSync(find("pytorch") as string, ["-c", program], {
    input: JSON.stringify(codes),
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(stdout).toBe("ok\n");
});

test("random arithmetic as TypeScript has the values of the reference", async () => {
  const arithmetic = expression(5).filter((expr) =>
    e
      .schedule([expr])
      .every((node) => !("args" in node) || /^(neg|abs|add|sub|mul|min|max|clamp|relu|sqrt)$/.test(node.op)),
  );
  await fc.assert(
    fc.asyncProperty(arithmetic, point, async (expr, at) => {
      const code = writeCode(typescript, {
        name: "f",
        expression: expr,
        inputs: names,
        parameters: {},
        comment: [],
      });
      const { code: javascript } = await transformWithOxc(code, "printed.ts");
      const run = new Function(`${javascript.replace("export ", "")}\nreturn f;`)() as (
        ...values: readonly number[]
      ) => number;
      const [expected] = compile([expr], names).run(at);
      const value = run(...at);
      expect(value === expected || (Number.isNaN(value) && Number.isNaN(expected))).toBe(true);
    }),
    { seed: 31, numRuns: 200 },
  );
});

test("an unknown target gets the nearest one", () => {
  expect(() => toCode(activationFromText("x"), "pytroch" as CodeTarget)).toThrow(
    "unknown target pytroch: expected typescript, wgsl, glsl, cuda, pytorch, jax, keras and onnx. Did you mean pytorch?",
  );
});

test("large formulas are written in statements of bounded length; too large ones are an error", () => {
  let deep: e.Expr = e.variable("x");
  for (let i = 0; i < 2000; i++) deep = e.add(e.sigmoid(deep), e.mul(deep, 0.5));
  const large = defineActivation({ name: "large", kind: "unary", expression: deep });
  for (const target of codeTargets) {
    const code = toCode(large, target);
    const lines = code.split("\n").filter((line) => !line.includes("large: "));
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(600);
  }
  for (let i = 0; i < 10_000; i++) deep = e.add(e.sigmoid(deep), e.mul(deep, 0.5));
  const larger = activationFromJson({ name: "larger", kind: "unary", expression: ["neg", "x"] });
  expect(() => toCode({ ...larger, expression: deep }, "wgsl")).toThrow("at most 20000 are written as code");
  let choices: e.Expr = e.variable("x");
  for (let i = 0; i < 300; i++) choices = e.selectGreater("x", i, e.exp(choices), choices);
  expect(() => toCode({ ...larger, expression: choices }, "pytorch")).toThrow(
    "too many choices within choices",
  );
});
