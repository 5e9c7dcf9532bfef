// Trains and evaluates one variant of the model on ONNX Runtime, native in Node.
import {
  buildModel,
  constant,
  encodeModel,
  type StepResult,
  type Tensor,
  Training,
  type TrainingState,
} from "onnx-grad";
import * as ort from "onnxruntime-node";
import { type Evaluation, Evaluator } from "./evaluator.js";
import { compileOptions, GraphsBySize } from "./graphs.js";
import { initialise } from "./initialise.js";
import { endsOf, feeds, logits, meanLoss, parameterSpecs, ports } from "./transformer.js";
import type { Inputs, ModelShape, ParameterSpec, TrainOptions, Variant } from "./types.js";

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
    readonly variant: Variant,
    readonly shape: ModelShape,
    private readonly specs: readonly ParameterSpec[],
    private readonly training: Training,
    private readonly packed: GraphsBySize,
    private readonly evaluator: Evaluator,
  ) {}

  static async create(variant: Variant, shape: ModelShape, options: TrainOptions): Promise<Trainer> {
    const specs = parameterSpecs(variant, shape);
    const { batch, threads, weightDecay, clipNorm } = options;
    const training = await Training.create(
      ort,
      {
        parameters: specs,
        loss: (weights) => meanLoss(variant, shape, ports(shape, batch), weights),
        weightDecay,
        clipNorm,
      },
      compileOptions(threads),
    );
    const packed = new GraphsBySize((rows) =>
      training.graph((weights) => meanLoss(variant, shape, endsOf(shape).packedPorts(rows), weights)),
    );
    const evaluator = await Evaluator.create(variant, shape, training.layout, threads);
    return new Trainer(variant, shape, specs, training, packed, evaluator);
  }

  /** Starts anew: every parameter from its own stream of the seed, moments at zero. */
  initialise(seed: number): void {
    const { state } = this.training;
    state.firstMoment.fill(0);
    state.secondMoment.fill(0);
    state.steps = 0;
    for (const spec of this.specs) initialise(spec, seed, this.training.parameter(spec.name));
  }

  /** All that training goes on from: parameters, both moments, count of steps. Good to read until the next step. */
  get state(): Readonly<TrainingState> {
    return this.training.state;
  }

  /** Goes on from a state that `state` gave, of a model of the same variant and shape: a copy is taken. */
  restore({ parameters, firstMoment, secondMoment, steps }: Readonly<TrainingState>): void {
    const { state, layout } = this.training;
    for (const [name, array] of Object.entries({ parameters, firstMoment, secondMoment })) {
      if (array.length !== layout.size) {
        throw new Error(`restore: ${name} has ${array.length} elements; this model has ${layout.size}`);
      }
    }
    state.parameters.set(parameters);
    state.firstMoment.set(firstMoment);
    state.secondMoment.set(secondMoment);
    state.steps = steps;
  }

  /**
   * One step of AdamW on a batch. Images: pixels in [0, 1], one label each, 0 to classes - 1. Sequences: `context` tokens,
   * and for each of them the token that follows, or -1 where that is padding.
   */
  async step(
    inputs: Inputs,
    labels: Int32Array,
    learningRate: number,
  ): Promise<{ loss: number; gradNorm: number }> {
    const { loss, gradientNorm } = await this.takeStep(inputs, labels, learningRate);
    return { loss, gradNorm: gradientNorm };
  }

  /** Sequences are packed where that saves enough. */
  private async takeStep(inputs: Inputs, labels: Int32Array, learningRate: number): Promise<StepResult> {
    const { shape, training } = this;
    const batch = endsOf(shape).pack(inputs, labels);
    return batch === undefined
      ? training.step(feeds(shape, inputs, labels), learningRate)
      : training.step(batch.feeds, learningRate, await this.packed.of(batch.rows));
  }

  /** The loss over any number of images or sequences, and of each label. */
  async evaluate(inputs: Inputs, labels: Int32Array): Promise<Evaluation> {
    return this.evaluator.evaluate(this.training.state.parameters, inputs, labels);
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

  /**
   * The trained model as an ONNX file, weights inside: images [batch, pixels] -> logits [batch, classes], or tokens
   * [batch, context] (int32) -> logits [batch, context, vocabulary].
   */
  inferenceModel(batch = endsOf(this.shape).evaluationBatch): Uint8Array {
    const { inputs } = ports(this.shape, batch);
    const scores = logits(this.variant, this.shape, inputs, this.constants());
    return encodeModel(buildModel({ logits: endsOf(this.shape).exported(scores) }));
  }

  private constants(): Record<string, Tensor> {
    return Object.fromEntries(
      this.specs.map(({ name, shape }) => [
        name,
        constant(this.training.parameter(name).slice(), "float32", shape),
      ]),
    );
  }

  async dispose(): Promise<void> {
    await this.training.dispose();
    await this.evaluator.dispose();
  }
}
