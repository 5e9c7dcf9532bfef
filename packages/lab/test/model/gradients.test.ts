// The whole model's loss and gradients against PyTorch's, in float64; pytorch_gradients.py beside this file made the numbers.
import { readFile } from "node:fs/promises";
import { compile, crossEntropy, gradient, input } from "onnx-grad";
import * as ort from "onnxruntime-node";
import { type Activation, activationByName } from "swiglu";
import { describe, expect, it } from "vitest";
import { logits, parameterSpecs } from "../../dist/model/vision-transformer.js";

interface Fixture {
  readonly shape: {
    imageSize: number;
    patch: number;
    classes: number;
    width: number;
    depth: number;
    heads: number;
    hidden: number;
  };
  readonly labels: number[];
  readonly variants: Record<string, { loss: number; gradients: Record<string, number[]> }>;
}
const fixture: Fixture = JSON.parse(
  await readFile(new URL("pytorch_gradients.json", import.meta.url), "utf8"),
);

/** The same formula as in pytorch_gradients.py. */
function value(name: string, i: number): number {
  const phase = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  return 0.6 * Math.sin(0.1 * phase + 1.3 * i);
}

describe("loss and gradients are PyTorch's in float64 within 1e-12", () => {
  for (const [name, expected] of Object.entries(fixture.variants)) {
    it(name, async () => {
      const { shape, labels } = fixture;
      const activation: Activation = activationByName(name.replace("-trained", ""));
      const variant = { name, activation, trained: name.endsWith("-trained") };
      const specs = parameterSpecs(variant, shape);
      expect(specs.map((spec) => spec.name).sort()).toEqual(Object.keys(expected.gradients).sort());

      const weights = Object.fromEntries(
        specs.map((spec) => [spec.name, input(spec.name, spec.shape, "float64")]),
      );
      const images = input("images", [labels.length, shape.imageSize ** 2], "float64");
      const output = logits(variant, shape, images, weights, { math: "exact" });
      const loss = crossEntropy(output, input("labels", [labels.length], "int32"));
      const gradients = gradient(
        loss,
        specs.map((spec) => weights[spec.name]!),
      );
      const program = await compile(ort, {
        loss,
        ...Object.fromEntries(specs.map((spec, i) => [`d ${spec.name}`, gradients[i]!])),
      });

      const feeds: Record<string, number[]> = { labels };
      for (const { name: key, shape: dims } of specs) {
        const shift = /norm\d?\.weight$|\.beta$/.test(key) ? 1 : 0;
        feeds[key] = Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => shift + value(key, i));
      }
      feeds.images = Array.from({ length: images.size }, (_, i) => 0.5 + value("images", i));
      const results = await program.run(feeds);
      await program.dispose();

      expect(Math.abs(Number(results.loss![0]) - expected.loss)).toBeLessThan(1e-12);
      for (const [key, exact] of Object.entries(expected.gradients)) {
        const actual = Array.from(results[`d ${key}`] as Float64Array);
        expect(actual.length).toBe(exact.length);
        const worst = Math.max(...actual.map((g, i) => Math.abs(g - exact[i]!)));
        expect(worst, key).toBeLessThan(1e-12);
      }
    });
  }
});
