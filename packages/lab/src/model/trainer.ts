// Trains and evaluates one variant of the model on ONNX Runtime, native in Node.
import {
  buildModel,
  compile,
  constant,
  encodeModel,
  input,
  logLoss,
  type Program,
  type StepResult,
  type Tensor,
  Training,
  type TrainingState,
  transpose,
} from "onnx-grad";
import * as ort from "onnxruntime-node";
import { initialise } from "./initialise.js";
import { feeds, meanLoss, ports } from "./loss.js";
import { pack, packedFeeds, packedPorts } from "./packing.js";
import { isImageShape, logits, parameterSpecs } from "./transformer.js";
import type { Inputs, ModelShape, ParameterSpec, TrainOptions, Variant } from "./types.js";

export interface Evaluation {
  /** Mean cross-entropy in nats over the labels that are not padding. */
  readonly loss: number;
  /** Share of images that are labelled rightly; not measured for sequences. */
  readonly accuracy?: number;
  /** The cross-entropy of every label, in the order of the labels; 0 where it is padding. */
  readonly losses: Float32Array;
}

/**
 * A model of one variant, its training state and its evaluation. Deterministic for a seed at one thread.
 *
 * @example
 * const trainer = await Trainer.create(variant, shape, { batch: 128, weightDecay: 0.05, clipNorm: 1, threads: 1 });
 * trainer.initialise(1);
 * const { loss } = await trainer.step(images, labels, 1e-3);
 */
export class Trainer {
  /** Graphs of a step of packed sequences, by their rows. */
  private readonly packed = new Map<number, Program>();

  private constructor(
    readonly variant: Variant,
    readonly shape: ModelShape,
    private readonly specs: readonly ParameterSpec[],
    private readonly training: Training,
    private readonly evaluation: Program,
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
      { threads },
    );
    const { layout } = training;
    const { inputs, labels } = ports(shape, evaluationBatch(shape));
    const scores = logits(variant, shape, inputs, layout.unpack(input("parameters", [layout.size])));
    const evaluation = await compile(
      ort,
      isImageShape(shape)
        ? { logits: scores }
        : { losses: transpose(logLoss(scores, transpose(labels), { padding: true })) },
      { threads },
    );
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
    const { loss, gradientNorm } = await this.packedStep(inputs, labels, learningRate);
    return { loss, gradNorm: gradientNorm };
  }

  /** A step, without what padding costs where there is enough of it. */
  private async packedStep(inputs: Inputs, labels: Int32Array, learningRate: number): Promise<StepResult> {
    const { variant, shape, training } = this;
    const batch =
      isImageShape(shape) || inputs instanceof Float32Array
        ? undefined
        : pack(inputs, labels, shape.context);
    if (batch === undefined || isImageShape(shape))
      return training.step(feeds(shape, inputs, labels), learningRate);
    const { rows } = batch;
    let graph = this.packed.get(rows);
    if (graph === undefined) {
      graph = await training.graph((weights) => meanLoss(variant, shape, packedPorts(shape, rows), weights));
      this.packed.set(rows, graph);
    }
    return training.step(packedFeeds(batch), learningRate, graph);
  }

  /** The loss over any number of images or sequences, and of each label. */
  async evaluate(inputs: Inputs, labels: Int32Array): Promise<Evaluation> {
    const { shape } = this;
    const [perInput, perLabel] = isImageShape(shape)
      ? [shape.imageSize ** 2, 1]
      : [shape.context, shape.context];
    const total = labels.length / perLabel;
    if (labels.length === 0 || inputs.length !== total * perInput) {
      throw new Error(
        `evaluate: ${inputs.length} ${isImageShape(shape) ? "pixels" : "tokens"} for ${labels.length} labels; each label needs ${perInput / perLabel}`,
      );
    }
    const batch = evaluationBatch(shape);
    const losses = new Float32Array(labels.length);
    let sum = 0;
    let counted = 0;
    let right = 0;
    for (let start = 0; start < total; start += batch) {
      const end = Math.min(total, start + batch);
      const part = inputs.subarray(start * perInput, end * perInput);
      const wanted = labels.subarray(start * perLabel, end * perLabel);
      const results = await this.evaluation.run({
        parameters: this.training.state.parameters,
        ...this.blankFilled(part, wanted, batch * perInput, batch * perLabel),
      });
      wanted.forEach((label, i) => {
        if (label < 0) return;
        counted++;
        let loss: number;
        if (isImageShape(shape)) {
          const row = (results.logits as Float32Array).subarray(i * shape.classes, (i + 1) * shape.classes);
          loss = logSumExp(row) - row[label]!;
          if (row.every((score, other) => other === label || score < row[label]!)) right++;
        } else {
          loss = Number(results.losses![i]);
        }
        sum += loss;
        losses[start * perLabel + i] = loss;
      });
    }
    const loss = sum / counted;
    return isImageShape(shape) ? { loss, accuracy: right / counted, losses } : { loss, losses };
  }

  /** The feeds of the evaluation graph; the last call of a set is filled up with blanks. */
  private blankFilled(inputs: Inputs, labels: Int32Array, inputSize: number, labelSize: number) {
    const filled = inputs instanceof Float32Array ? new Float32Array(inputSize) : new Int32Array(inputSize);
    filled.set(inputs);
    if (isImageShape(this.shape)) return { images: filled };
    const filledLabels = new Int32Array(labelSize).fill(-1);
    filledLabels.set(labels);
    return { tokens: filled, labels: filledLabels };
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
  inferenceModel(batch = evaluationBatch(this.shape)): Uint8Array {
    const { inputs } = ports(this.shape, batch);
    const scores = logits(this.variant, this.shape, inputs, this.constants());
    return encodeModel(
      buildModel({ logits: isImageShape(this.shape) ? scores : transpose(scores, [1, 0, 2]) }),
    );
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
    await this.evaluation.dispose();
  }
}

/** Examples that one call of the evaluation graph takes: 200 images, or sequences of about 2,048 tokens. */
function evaluationBatch(shape: ModelShape): number {
  return isImageShape(shape) ? 200 : Math.ceil(2048 / shape.context);
}

function logSumExp(row: Float32Array): number {
  const largest = row.reduce((a, b) => Math.max(a, b));
  return largest + Math.log(row.reduce((sum, score) => sum + Math.exp(score - largest), 0));
}
