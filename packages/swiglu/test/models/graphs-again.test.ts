// Files that this library writes of every entry, read again: `check` finds the entry, its parameters and its layout by evaluating.
import { check } from "swiglu/models";
import { describe, expect, test } from "vitest";
import { type Activation, activations, asGated } from "../../src/index.js";
import { gatedFfnGraph, toFile } from "../../src/onnx-entry.js";
import { seeded } from "./files.js";

const [dModel, dFf] = [6, 10];
const random = seeded(18);
const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, () => 2 * random() - 1);
const { leakyRelu, laplace, swigluOai, situGlu } = activations;

const fileOf = (activation: Activation, parameters: Readonly<Record<string, number>>): Uint8Array =>
  toFile(
    gatedFfnGraph({
      activation: asGated(activation),
      dModel,
      dFf,
      layout: "interleaved",
      weights: { packed: numbers(2 * dModel * dFf), down: numbers(dFf * dModel) },
      parameters,
    } as never),
  );

const cases: readonly (readonly [Activation, Readonly<Record<string, number>>])[] = [
  ...["relu6", "gelu10", "reglu2", "swigluOai", "swigluClamped", "swigluStep", "situGlu"].map(
    (name) => [activations[name as "relu6"] as Activation, {}] as const,
  ),
  [leakyRelu, {}],
  [leakyRelu, { slope: 0.2 }],
  [laplace, {}],
  [swigluOai, { limit: 20 }],
  [swigluOai, { alpha: 1.5, limit: 4, offset: 0.25 }],
  [swigluOai, { limit: Infinity }],
  [swigluOai, { offset: 0 }],
  [situGlu, { upLimit: Infinity }],
];

describe("files of ours, read again", () => {
  for (const [activation, parameters] of cases)
    test(`${activation.name} ${JSON.stringify(Object.entries(parameters).map(String))}`, async () => {
      const { blocks } = await check({ "model.onnx": fileOf(activation, parameters) });
      expect(blocks.map(({ activation: { value }, layout }) => [value, layout.value])).toEqual([
        [activation.name, "interleaved"],
      ]);
      expect(blocks[0]?.parameters.value).toEqual({ ...activation.parameters, ...parameters });
    });
});
