// Every activation of the catalogue inside a graph: gradients against central differences in float64, and values and
// gradients in float32 against the library's float64 reference.
import { activate, compile, constant, gradient, input, sum, type Tensor } from "onnx-grad";
import * as ort from "onnxruntime-node";
import {
  type Activation,
  activations,
  compile as compileExpressions,
  differentiate,
  type Expr,
  errorBound,
  evaluate,
} from "swiglu";
import { describe, expect, it } from "vitest";
import { checkGradient, numbers } from "./finite-differences.js";

/** ONNX Runtime has no float64 kernel for Atan. */
const withoutFloat64 = new Set(["xatlu"]);

const variablesOf = (activation: Activation): string[] => [
  ...activation.inputs,
  ...Object.keys(activation.parameters),
];

for (const activation of Object.values(activations) as Activation[]) {
  const { name, parameters } = activation;
  const variables = variablesOf(activation);
  const parameterShapes = (shape: readonly number[]) => Object.keys(parameters).map(() => shape);

  describe(name, () => {
    for (const shape of withoutFloat64.has(name) ? [] : [[], [5]]) {
      it(`first and second order, parameters of shape [${shape}], within 1e-7 of central differences`, async () => {
        const inputs = activation.inputs.map(() => [3, 5]);
        const check = {
          shapes: [...inputs, ...parameterShapes(shape)],
          // Inputs of both signs; parameters positive, as limits must be.
          fill: (random: () => number, i: number) =>
            (0.3 + 1.5 * random()) * (i < inputs.length && random() < 0.5 ? -1 : 1),
          build: (...tensors: Tensor[]) =>
            activate(activation.expression, Object.fromEntries(variables.map((v, i) => [v, tensors[i]!]))),
        };
        await checkGradient(check);
        await checkGradient({ ...check, secondOrder: true });
      });
    }

    it("float32 values and gradients are within the library's error bound of the float64 reference", async () => {
      const random = numbers(name.length);
      const rows = Array.from({ length: 67 }, () =>
        variables.map((v) => Math.fround(v in parameters ? parameters[v]! : 12 * random() - 6)),
      );
      const tensors = Object.fromEntries(variables.map((v) => [v, input(v, [rows.length])]));
      const y = activate(activation.expression, tensors);
      const gradients = gradient(
        sum(y),
        variables.map((v) => tensors[v]!),
      );
      const program = await compile(ort, {
        y,
        ...Object.fromEntries(variables.map((v, i) => [`d_${v}`, gradients[i]!])),
      });
      const taken = program.model.inputs.map((info) => info.name);
      const results = await program.run(
        Object.fromEntries(taken.map((v) => [v, rows.map((row) => row[variables.indexOf(v)]!)])),
      );
      await program.dispose();
      const derivatives = variables.map((v): [string, Expr] => [
        `d_${v}`,
        differentiate(activation.expression, v),
      ]);
      for (const [key, expression] of [["y", activation.expression] as const, ...derivatives]) {
        const exact = compileExpressions([expression], variables);
        const bound = errorBound(expression, variables);
        rows.forEach((row, k) => {
          const value = exact.run(row)[0]!;
          const error = Math.abs(Number(results[key]![k]) - value);
          expect(
            error,
            `${key} at ${variables} = ${row}: ${results[key]![k]}, exact ${value}`,
          ).toBeLessThanOrEqual(bound(row));
        });
      }
    });
  });
}

describe("fast math is within 4e-6 of max(1, |y|) from -30 to 30", () => {
  for (const activation of (Object.values(activations) as Activation[]).filter(
    ({ kind }) => kind === "unary",
  )) {
    it(activation.name, async () => {
      const xs = Float32Array.from({ length: 60_001 }, (_, i) => i / 1000 - 30);
      const parameters = Object.entries(activation.parameters).map(([name, value]) => [
        name,
        constant(value),
      ]);
      const x = input("x", [xs.length]);
      const y = activate(activation.expression, { x, ...Object.fromEntries(parameters) }, { math: "fast" });
      const program = await compile(ort, { y });
      const results = await program.run({ x: xs });
      let worst = 0;
      xs.forEach((at, i) => {
        const exact = evaluate(activation, { x: at } as never);
        worst = Math.max(worst, Math.abs(Number(results.y![i]) - exact) / Math.max(1, Math.abs(exact)));
      });
      expect(worst).toBeLessThanOrEqual(4e-6);
      await program.dispose();
    });
  }
});
