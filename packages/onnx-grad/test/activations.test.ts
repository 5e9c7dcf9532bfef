// Every activation of the catalogue inside a graph: gradients against central differences in float64, and values and
// gradients in float32 against the library's float64 reference.
import { activate, compile, constant, gradient, input, mul, sum, type Tensor } from "onnx-grad";
import * as ort from "onnxruntime-node";
import { type Activation, activations, evaluate, gradient as reference } from "swiglu";
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

    it("float32 values and gradients are the reference's within 2e-5 of the largest term", async () => {
      const count = 67;
      const random = numbers(name.length);
      const values = Object.fromEntries(
        variables.map((v) => [
          v,
          v in parameters
            ? [parameters[v]!]
            : Array.from({ length: count }, () => Math.fround(12 * random() - 6)),
        ]),
      );
      const tensors = Object.fromEntries(variables.map((v) => [v, input(v, v in parameters ? [] : [count])]));
      const y = activate(activation.expression, tensors);
      const inputs = [...activation.inputs];
      const gradients = gradient(
        sum(y),
        inputs.map((v) => tensors[v]!),
      );
      const outputs = Object.fromEntries(inputs.map((v, i) => [`d_${v}`, mul(gradients[i]!, constant(1))]));
      const program = await compile(ort, { y, ...outputs });
      const taken = program.model.inputs.map((info) => info.name);
      const results = await program.run(Object.fromEntries(taken.map((v) => [v, values[v]!])));
      for (let k = 0; k < count; k++) {
        const at = Object.fromEntries(inputs.map((v) => [v, values[v]![k]!])) as never;
        close(Number(results.y![k]), evaluate(activation, at), `y at ${JSON.stringify(at)}`);
        const exact = reference(activation, at) as Readonly<Record<string, number>>;
        for (const v of inputs)
          close(Number(results[`d_${v}`]![k]), exact[v]!, `d${v} at ${JSON.stringify(at)}`);
      }
      await program.dispose();
    });
  });
}

function close(actual: number, expected: number, message: string): void {
  expect(Math.abs(actual - expected), `${message}: ${actual}, expected ${expected}`).toBeLessThanOrEqual(
    2e-5 * Math.max(1, Math.abs(expected)),
  );
}
