// The whole model's loss and gradients against PyTorch's, in float64; pytorch_gradients.py beside this file made the numbers.
import { readFile } from "node:fs/promises";
import { compile, crossEntropy, type Data, gradient, input, type Tensor, transpose } from "onnx-grad";
import * as ort from "onnxruntime-node";
import { type Activation, activationByName } from "swiglu";
import { describe, expect, it } from "vitest";
import type { ImageShape, ModelShape, SequenceShape, Variant } from "../../dist/model/index.js";
import { pack } from "../../dist/model/packing.js";
import { logits, packedPorts, parameterSpecs } from "../../dist/model/transformer.js";

type Expected = Record<string, { loss: number; gradients: Record<string, number[]> }>;

interface Fixture {
  readonly images: { shape: ImageShape; labels: number[]; variants: Expected };
  readonly sequences: { shape: SequenceShape; tokens: number[][]; labels: number[][]; variants: Expected };
}
const { images, sequences }: Fixture = JSON.parse(
  await readFile(new URL("pytorch_gradients.json", import.meta.url), "utf8"),
);

/** The same formula as in pytorch_gradients.py. */
function value(name: string, i: number): number {
  const phase = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  return 0.6 * Math.sin(0.1 * phase + 1.3 * i);
}

async function check(
  name: string,
  shape: ModelShape,
  { loss: exactLoss, gradients: exactGradients }: Expected[string],
  lossOf: (variant: Variant, weights: Record<string, Tensor>) => Tensor,
  feeds: Data,
): Promise<void> {
  const activation: Activation = activationByName(name.replace("-trained", ""));
  const variant = { name, activation, trained: name.endsWith("-trained") };
  const specs = parameterSpecs(variant, shape);
  expect(specs.map((spec) => spec.name).sort()).toEqual(Object.keys(exactGradients).sort());
  const weights = Object.fromEntries(
    specs.map((spec) => [spec.name, input(spec.name, spec.shape, "float64")]),
  );
  const loss = lossOf(variant, weights);
  const gradients = gradient(
    loss,
    specs.map((spec) => weights[spec.name]!),
  );
  const program = await compile(ort, {
    loss,
    ...Object.fromEntries(specs.map((spec, i) => [`d ${spec.name}`, gradients[i]!])),
  });
  const values = specs.map(({ name: key, shape: dims }) => {
    const shift = /norm\d?\.weight$|\.beta$/.test(key) ? 1 : 0;
    return [key, Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => shift + value(key, i))];
  });
  const results = await program.run({ ...feeds, ...Object.fromEntries(values) });
  await program.dispose();

  expect(Math.abs(Number(results.loss![0]) - exactLoss)).toBeLessThan(1e-12);
  for (const [key, exact] of Object.entries(exactGradients)) {
    const actual = Array.from(results[`d ${key}`] as Float64Array);
    expect(actual.length).toBe(exact.length);
    const worst = Math.max(...actual.map((g, i) => Math.abs(g - exact[i]!)));
    expect(worst, key).toBeLessThan(1e-12);
  }
}

describe("images: loss and gradients are PyTorch's in float64 within 1e-12", () => {
  const { shape, labels, variants } = images;
  const pixels = input("images", [labels.length, shape.imageSize ** 2], "float64");
  const feeds = { labels, images: Array.from({ length: pixels.size }, (_, i) => 0.5 + value("images", i)) };
  it.each(Object.entries(variants))("%s", async (name, expected) => {
    const lossOf = (variant: Variant, weights: Record<string, Tensor>): Tensor =>
      crossEntropy(
        logits(variant, shape, pixels, weights, { math: "exact" }),
        input("labels", [labels.length], "int32"),
      );
    await check(name, shape, expected, lossOf, feeds);
  });
});

describe("sequences, with padding: loss and gradients are PyTorch's in float64 within 1e-12", () => {
  const { shape, tokens, labels, variants } = sequences;
  const size = [tokens.length, shape.context];
  it.each(Object.entries(variants))("%s", async (name, expected) => {
    const lossOf = (variant: Variant, weights: Record<string, Tensor>): Tensor =>
      crossEntropy(
        logits(variant, shape, input("tokens", size, "int32"), weights, { math: "exact" }),
        transpose(input("labels", size, "int32")),
        { padding: true },
      );
    await check(name, shape, expected, lossOf, { tokens: tokens.flat(), labels: labels.flat() });
  });
});

describe("the same sequences packed, two of them in one row: the same within 1e-12", () => {
  const { shape, tokens, labels, variants } = sequences;
  // The first one in two, its beginning and all of it with the labels that are left: that is the same loss. The blank ones
  // have none, and make packing worth it.
  const [first, ...rest] = labels as [number[], ...number[][]];
  const none = (count: number): number[] => new Array(count).fill(-1);
  const split = [[...first.slice(0, 2), ...none(3)], [...none(2), ...first.slice(2)], ...rest];
  const blanks = split.map(() => none(5));
  const batch = pack(
    Int32Array.from([tokens[0]!, ...tokens, ...blanks.map((blank) => blank.map(() => 0))].flat()),
    Int32Array.from([...split, ...blanks].flat()),
    shape.context,
  )!;
  it.each(Object.entries(variants))("%s", async (name, expected) => {
    const { inputs, labels: wanted, packing } = packedPorts(shape, batch.rows);
    const lossOf = (variant: Variant, weights: Record<string, Tensor>): Tensor =>
      crossEntropy(logits(variant, shape, inputs, weights, { math: "exact", packing }), wanted, {
        padding: true,
      });
    await check(name, shape, expected, lossOf, batch.feeds);
  });
  it("has the rows that were meant", () => {
    const [longer, shared] = [tokens[0]!, [...tokens[1]!.slice(0, 3), ...tokens[0]!.slice(0, 2)]];
    expect(Array.from(batch.feeds.tokens.subarray(0, 15))).toEqual([...longer, ...tokens[2]!, ...shared]);
  });
});
