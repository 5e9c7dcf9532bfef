// Trains and evaluates one variant of the model on ONNX Runtime, native in Node.
import {
  buildModel,
  compile,
  constant,
  crossEntropy,
  encodeModel,
  input,
  type Program,
  Training,
} from "onnx-grad";
import * as ort from "onnxruntime-node";
import { initialise } from "./initialise.js";
import type { ModelShape, ParameterSpec, TrainOptions, Variant } from "./types.js";
import { logits, parameterSpecs } from "./vision-transformer.js";

/** Images that one call of the evaluation graph takes; the last call of a set is filled up with blanks. */
const evaluationBatch = 200;

/**
 * A model of one variant, its training state and its evaluation. Deterministic for a seed at one thread.
 *
 * @example
 * const trainer = await Trainer.create(variant, shape, { batch: 128, weightDecay: 0.05, clipNorm: 1, threads: 1 });
 * trainer.initialise(1);
 * const { loss } = await trainer.step(images, labels, 1e-3);
 */
export class Trainer {
  private constructor(
    private readonly variant: Variant,
    private readonly shape: ModelShape,
    private readonly specs: readonly ParameterSpec[],
    private readonly training: Training,
    private readonly evaluation: Program,
  ) {}

  static async create(variant: Variant, shape: ModelShape, options: TrainOptions): Promise<Trainer> {
    const specs = parameterSpecs(variant, shape);
    const { batch, threads, weightDecay, clipNorm } = options;
    const pixels = shape.imageSize ** 2;
    const training = await Training.create(
      ort,
      {
        parameters: specs,
        loss: (weights) =>
          crossEntropy(
            logits(variant, shape, input("images", [batch, pixels]), weights),
            input("labels", [batch], "int32"),
          ),
        weightDecay,
        clipNorm,
      },
      { threads },
    );
    const { layout } = training;
    const images = input("images", [evaluationBatch, pixels]);
    const weights = layout.unpack(input("parameters", [layout.size]));
    const evaluation = await compile(ort, { logits: logits(variant, shape, images, weights) }, { threads });
    return new Trainer(variant, shape, specs, training, evaluation);
  }

  /** Starts anew: every parameter from its own stream of the seed, moments at zero. */
  initialise(seed: number): void {
    const { state } = this.training;
    state.firstMoment.fill(0);
    state.secondMoment.fill(0);
    state.steps = 0;
    for (const spec of this.specs) initialise(spec, seed, this.training.parameter(spec.name));
  }

  /** One step of AdamW on a batch: pixels in [0, 1], row-major; labels 0 to classes - 1. */
  async step(
    images: Float32Array,
    labels: Int32Array,
    learningRate: number,
  ): Promise<{ loss: number; gradNorm: number }> {
    const { loss, gradientNorm } = await this.training.step({ images, labels }, learningRate);
    return { loss, gradNorm: gradientNorm };
  }

  /** Mean cross-entropy and accuracy over any number of images. */
  async evaluate(images: Float32Array, labels: Int32Array): Promise<{ loss: number; accuracy: number }> {
    const { imageSize, classes } = this.shape;
    const pixels = imageSize ** 2;
    if (labels.length === 0 || images.length !== labels.length * pixels) {
      throw new Error(
        `evaluate: ${images.length} pixels for ${labels.length} labels; each label needs ${pixels}`,
      );
    }
    let loss = 0;
    let correct = 0;
    for (let start = 0; start < labels.length; start += evaluationBatch) {
      const count = Math.min(evaluationBatch, labels.length - start);
      const part = images.subarray(start * pixels, (start + count) * pixels);
      const scores = await this.logits(part, count);
      for (let i = 0; i < count; i++) {
        const row = scores.subarray(i * classes, (i + 1) * classes);
        const label = labels[start + i]!;
        loss += logSumExp(row) - row[label]!;
        if (row.every((score, other) => other === label || score < row[label]!)) correct++;
      }
    }
    return { loss: loss / labels.length, accuracy: correct / labels.length };
  }

  private async logits(images: Float32Array, count: number): Promise<Float32Array> {
    let batch = images;
    if (count < evaluationBatch) {
      batch = new Float32Array(evaluationBatch * this.shape.imageSize ** 2);
      batch.set(images);
    }
    const { parameters } = this.training.state;
    const results = await this.evaluation.run({ parameters, images: batch });
    return results.logits as Float32Array;
  }

  /** A copy of every parameter, by name. */
  parameters(): Map<string, Float32Array> {
    return new Map(this.specs.map(({ name }) => [name, this.training.parameter(name).slice()]));
  }

  /** What training made of the activation's parameters: one value for each block; {} where none is trained. */
  trainedValues(): Record<string, number[]> {
    if (!this.variant.trained) return {};
    const blocks = Array.from({ length: this.shape.depth }, (_, i) => i);
    return Object.fromEntries(
      Object.keys(this.variant.activation.parameters).map((name) => [
        name,
        blocks.map((i) => this.training.parameter(`block${i}.ffn.${name}`)[0]!),
      ]),
    );
  }

  /** The trained model as an ONNX file: images [batch, pixels] -> logits [batch, classes], weights inside. */
  inferenceModel(batch = evaluationBatch): Uint8Array {
    const weights = Object.fromEntries(
      this.specs.map(({ name, shape }) => [
        name,
        constant(this.training.parameter(name).slice(), "float32", shape),
      ]),
    );
    const images = input("images", [batch, this.shape.imageSize ** 2]);
    return encodeModel(buildModel({ logits: logits(this.variant, this.shape, images, weights) }));
  }

  async dispose(): Promise<void> {
    await this.training.dispose();
    await this.evaluation.dispose();
  }
}

function logSumExp(row: Float32Array): number {
  const largest = row.reduce((a, b) => Math.max(a, b));
  return largest + Math.log(row.reduce((sum, score) => sum + Math.exp(score - largest), 0));
}
