// Operations of a training step: counted product by product in the graph that is trained, and for one model by hand.
import { constant, crossEntropy, gradient, input, type Tensor } from "onnx-grad";
import { activations } from "swiglu";
import { expect, test } from "vitest";
import { flopsPerStep } from "../../src/model/flops.js";
import { logits, parameterSpecs } from "../../src/model/transformer.js";
import type { ModelShape, Variant } from "../../src/model/types.js";

const images: ModelShape = { imageSize: 12, patch: 4, classes: 7, width: 20, depth: 2, heads: 5, hidden: 13 };
const sequences: ModelShape = { vocabulary: 30, context: 6, width: 12, depth: 3, heads: 2, hidden: 11 };
const variant = (name: "relu" | "swiglu" | "selfGlu" | "swigluBlend", trained = false): Variant => ({
  name,
  activation: activations[name],
  trained,
});

/** 2 m k n of every matrix product behind the tensors that has more than one row, column and inner element. */
function counted(outputs: readonly Tensor[]): number {
  const seen = new Set<object>();
  let flops = 0;
  const visit = ({ source }: Tensor): void => {
    if (source.kind !== "node" || seen.has(source.node)) return;
    seen.add(source.node);
    const { name, inputs, outputs: results } = source.node;
    for (const tensor of inputs) visit(tensor);
    if (name !== "Gemm" && name !== "FusedMatMul") return;
    const [a, b] = inputs;
    const shape = results[0]!.shape;
    const batch = shape.slice(0, -2).reduce((product, size) => product * size, 1);
    // (m k)(k n) / (m n) = k^2, however the factors are transposed
    const inner = Math.sqrt((a!.size * b!.size) / (results[0]!.size * batch));
    expect(inner).toBe(Math.round(inner));
    if (Math.min(inner, ...shape.slice(-2)) > 1) flops += 2 * results[0]!.size * inner;
  };
  for (const output of outputs) visit(output);
  return flops;
}

test.each<[string, Variant, ModelShape]>([
  ["ungated", variant("relu"), images],
  ["gated, trained", variant("swiglu", true), images],
  ["self-gated", variant("selfGlu"), images],
  ["ungated", variant("relu"), sequences],
  ["gated", variant("swiglu"), sequences],
  ["self-gated, trained", variant("swigluBlend", true), sequences],
])("%s, %o: those of the graph", (_, variant, shape) => {
  const batch = 3;
  const specs = parameterSpecs(variant, shape);
  const weights = Object.fromEntries(specs.map(({ name, shape }) => [name, input(name, shape)]));
  const isImages = "imageSize" in shape;
  const inputs = isImages
    ? input("images", [batch, shape.imageSize ** 2])
    : input("tokens", [batch, shape.context], "int32");
  const size = isImages ? [batch] : [shape.context, batch];
  const labels = constant(new Array(size.reduce((a, b) => a * b, 1)).fill(0), "int32", size);
  const loss = crossEntropy(logits(variant, shape, inputs, weights), labels);
  const gradients = gradient(loss, Object.values(weights));
  expect(flopsPerStep(variant, shape, batch)).toBe(counted([loss, ...gradients]));
});

test("by hand: one block of width 2 and hidden width 3 over 4 tokens, ungated", () => {
  const shape = { vocabulary: 5, context: 4, width: 2, depth: 1, heads: 1, hidden: 3 };
  const [projections, attention, feedForward, head] = [4 * 2 * 2, 2 * 4 * 2, 2 * 2 * 3, 2 * 5];
  const perToken = 2 * (projections + attention + feedForward + head);
  expect(flopsPerStep(variant("relu"), shape, 1)).toBe(3 * 4 * perToken);
});
