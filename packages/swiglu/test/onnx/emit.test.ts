// The ONNX emitter's structure: names, sharing, operators of each mode. Numbers are checked on ONNX Runtime in onnx-grad.
import { describe, expect, test } from "vitest";
import { activations, expressions as e, gradientExpressions, swiglu } from "../../src/index.js";
import { emitNodes, type OnnxFragment } from "../../src/onnx-entry.js";

const inputs = { x: "X", gate: "G", up: "U", beta: "B", alpha: "A", limit: "L" };
const lines = ({ nodes }: OnnxFragment): string[] =>
  nodes.map(({ opType, inputs: from, outputs }) => `${outputs} = ${opType}(${from.join(", ")})`);

test("fast swiglu with its gradients shares the sigmoid", () => {
  const { gate } = gradientExpressions(swiglu);
  const fragment = emitNodes([swiglu.expression, gate as e.Expr], {
    inputs,
    outputs: ["Y", "dG"],
    prefix: "a",
    math: "fast",
  });
  expect(lines(fragment)).toMatchInlineSnapshot(`
    [
      "a0 = Mul(B, G)",
      "a1 = Sigmoid(a0)",
      "a2 = Mul(G, a1)",
      "Y = Mul(a2, U)",
      "a4 = Sigmoid(a0)",
      "a5 = Sub(ac0, a4)",
      "a6 = Mul(a4, a5)",
      "a7 = Mul(a6, B)",
      "a8 = Mul(G, a7)",
      "a9 = Add(a1, a8)",
      "dG = Mul(U, a9)",
    ]
  `);
});

test("exact silu goes through Exp", () => {
  const fragment = emitNodes([activations.silu.expression], { inputs, outputs: ["Y"], prefix: "a" });
  expect(lines(fragment)).toMatchInlineSnapshot(`
    [
      "a0 = Min(X, ac0)",
      "a1 = Exp(a0)",
      "a2 = Abs(X)",
      "a3 = Neg(a2)",
      "a4 = Exp(a3)",
      "a5 = Add(ac1, a4)",
      "a6 = Div(a1, a5)",
      "Y = Mul(X, a6)",
    ]
  `);
  expect(fragment.constants).toEqual([
    { name: "ac0", dtype: "float32", value: 0 },
    { name: "ac1", dtype: "float32", value: 1 },
  ]);
});

describe("every activation and gradient", () => {
  const accurate = new Set(
    "Neg Abs Exp Log Sqrt Atan Add Sub Mul Div Min Max Where Greater LessOrEqual Identity".split(" "),
  );
  const fused = ["Gelu", "Mish", "HardSwish", "Selu", "Elu", "Clip"];
  const approximate = new Set([...accurate, ...fused, "Sigmoid", "Tanh", "Erf", "Softplus", "Relu"]);
  test.each(Object.values(activations))("$name is a sound graph in both modes", (activation) => {
    const bound = Object.fromEntries(
      [...activation.inputs, ...Object.keys(activation.parameters)].map((name) => [name, `in_${name}`]),
    );
    const expressions = [activation.expression, ...Object.values(gradientExpressions(activation))];
    const outputs = expressions.map((_, i) => `out_${i}`);
    for (const [math, allowed] of [
      ["exact", accurate],
      ["fast", approximate],
    ] as const) {
      const { nodes, constants } = emitNodes(expressions, { inputs: bound, outputs, prefix: "p_", math });
      const known = new Set([...Object.values(bound), ...constants.map(({ name }) => name)]);
      for (const node of nodes) {
        expect(allowed).toContain(node.opType);
        for (const input of node.inputs) expect(known).toContain(input);
        for (const output of node.outputs) {
          expect(known).not.toContain(output);
          known.add(output);
        }
      }
      for (const output of outputs) expect(known).toContain(output);
    }
  });
});

test("an input, a constant and a repeated result are copied to their outputs", () => {
  const double = e.mul(2, "x");
  const fragment = emitNodes([e.variable("x"), e.num(3), double, double], {
    inputs,
    outputs: ["a", "b", "c", "d"],
    prefix: "p",
  });
  expect(lines(fragment)).toMatchInlineSnapshot(`
    [
      "c = Mul(pc1, X)",
      "a = Identity(X)",
      "b = Identity(pc0)",
      "d = Identity(c)",
    ]
  `);
});

test("mistakes", () => {
  const options = { inputs: {}, outputs: ["Y"], prefix: "p" };
  expect(() => emitNodes([e.variable("x")], options)).toThrow("inputs has no tensor for x");
  expect(() => emitNodes([], options)).toThrow("outputs has 1 names, expected 0");
});
