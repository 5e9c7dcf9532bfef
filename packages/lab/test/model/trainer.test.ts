// The Trainer: it learns, repeats itself bit for bit, shares initial weights between variants, and exports what it is.
import { decodeModel } from "onnx-grad";
import * as ort from "onnxruntime-node";
import { activationByName } from "swiglu";
import { describe, expect, it } from "vitest";
import { feedForwardParameters, parameterSpecs, Trainer, type Variant } from "../../dist/model/index.js";

const shape = { imageSize: 8, patch: 4, classes: 3, width: 8, depth: 2, heads: 2, hidden: 7 };
const options = { batch: 12, weightDecay: 0.05, clipNorm: 1, threads: 1 };

function variantOf(name: string): Variant {
  return {
    name,
    activation: activationByName(name.replace("-trained", "")),
    trained: name.endsWith("-trained"),
  };
}

/** Images whose class is the third of the rows that is bright. */
function batch(count: number, offset = 0) {
  const labels = Int32Array.from({ length: count }, (_, i) => (i + offset) % 3);
  const images = Float32Array.from({ length: count * 64 }, (_, k) => {
    const bright = Math.floor(((k % 64) / 64) * 3) === labels[Math.floor(k / 64)];
    return (bright ? 0.7 : 0.1) + 0.1 * Math.sin(k * 1.7 + offset);
  });
  return { images, labels };
}

async function train(name: string, steps: number) {
  const trainer = await Trainer.create(variantOf(name), shape, options);
  trainer.initialise(7);
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const { images, labels } = batch(options.batch, i);
    losses.push((await trainer.step(images, labels, 0.01)).loss);
  }
  return { trainer, losses };
}

describe("Trainer", () => {
  for (const name of ["relu", "swish-trained", "geglu", "swiglu-trained", "selfGlu", "swigluBlend-trained"]) {
    it(`${name} learns, evaluates any number of images, and exports the same function`, async () => {
      const { trainer, losses } = await train(name, 60);
      expect(losses.at(-1)!).toBeLessThan(0.1 * losses[0]!);
      const { images, labels } = batch(205, 1000);
      const result = await trainer.evaluate(images, labels);
      expect(result.accuracy).toBeGreaterThan(0.95);

      const file = trainer.inferenceModel();
      const [input] = decodeModel(file).inputs;
      expect(input).toMatchObject({ name: "images", dtype: "float32" });
      const count = input!.shape[0]!;
      const session = await ort.InferenceSession.create(file);
      const first = new ort.Tensor("float32", images.slice(0, count * 64), [count, 64]);
      const logits = (await session.run({ images: first })).logits!.data as Float32Array;
      let correct = 0;
      for (let i = 0; i < count; i++) {
        const row = Array.from(logits.subarray(3 * i, 3 * i + 3));
        if (row.indexOf(Math.max(...row)) === labels[i]) correct++;
      }
      const part = await trainer.evaluate(images.subarray(0, count * 64), labels.subarray(0, count));
      expect(correct / count).toBe(part.accuracy);

      const trained = trainer.trainedValues();
      if (name.endsWith("-trained")) {
        expect(trained.beta).toHaveLength(shape.depth);
        for (const beta of trained.beta!) expect(beta).not.toBe(1);
      } else {
        expect(trained).toEqual({});
      }
      await trainer.dispose();
    });
  }

  it("repeats a run bit for bit at one thread, also after initialise() on a used trainer", async () => {
    const { trainer, losses } = await train("swiglu", 5);
    trainer.initialise(7);
    for (const [i, loss] of losses.entries()) {
      const { images, labels } = batch(options.batch, i);
      expect((await trainer.step(images, labels, 0.01)).loss).toBe(loss);
    }
    await trainer.dispose();
  });

  it("starts every variant of one seed from the same weights outside the feed-forward blocks", async () => {
    const starts = [];
    for (const [name, hidden] of [
      ["relu", 12],
      ["swiglu-trained", 7],
      ["selfGlu", 5],
    ] as const) {
      const trainer = await Trainer.create(variantOf(name), { ...shape, hidden }, options);
      trainer.initialise(3);
      const outside = parameterSpecs(variantOf(name), { ...shape, hidden }).filter(
        (spec) => !spec.inFeedForward,
      );
      const values = trainer.parameters();
      starts.push(Object.fromEntries(outside.map((spec) => [spec.name, values.get(spec.name)!])));
      await trainer.dispose();
    }
    expect(starts[1]).toEqual(starts[0]);
    expect(starts[2]).toEqual(starts[0]);
  });

  it("a loss that is not a number changes nothing", async () => {
    const { trainer } = await train("swiglu", 1);
    const before = trainer.parameters();
    const { images, labels } = batch(options.batch);
    const { loss } = await trainer.step(images.fill(Number.NaN), labels, 0.01);
    expect(loss).toBeNaN();
    expect(trainer.parameters()).toEqual(before);
    await trainer.dispose();
  });
});

describe("parameters", () => {
  it("of one feed-forward block are counted with biases and trained parameters", () => {
    expect(feedForwardParameters(variantOf("relu"), 64, 256)).toBe(64 * 256 + 256 + 256 * 64 + 64);
    expect(feedForwardParameters(variantOf("swiglu"), 64, 171)).toBe(2 * (64 * 171 + 171) + 171 * 64 + 64);
    expect(feedForwardParameters(variantOf("swiglu-trained"), 64, 170)).toBe(
      2 * (64 * 170 + 170) + 170 * 64 + 64 + 1,
    );
    expect(feedForwardParameters(variantOf("selfGlu"), 64, 100)).toBe(
      64 * 100 + 100 + 100 * 100 + 100 + 100 * 64 + 64,
    );
  });

  it("a width that the heads do not divide gets a sentence", () => {
    expect(() => parameterSpecs(variantOf("relu"), { ...shape, width: 9 })).toThrow(
      /width 9 is not a multiple of heads 2; choose e.g. 10/,
    );
  });
});
