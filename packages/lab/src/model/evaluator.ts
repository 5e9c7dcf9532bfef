// The loss of a model on any number of images or sequences, and of each label.
import type { ParameterLayout } from "onnx-grad";
import type { Ends, Measure } from "./ends.js";
import { endsOf, networkOf } from "./transformer.js";
import type { Inputs, ModelShape, Variant } from "./types.js";

export interface Evaluation {
  /** Mean cross-entropy in nats over the labels that are not padding. */
  readonly loss: number;
  /** Share of images that are labelled rightly; not measured for sequences. */
  readonly accuracy?: number;
  /** The cross-entropy of every label, in the order of the labels; 0 where it is padding. */
  readonly losses: Float32Array;
}

export class Evaluator {
  private constructor(
    private readonly ends: Ends,
    private readonly measure: Measure,
  ) {}

  static async create(
    variant: Variant,
    shape: ModelShape,
    layout: ParameterLayout,
    threads: number,
  ): Promise<Evaluator> {
    const ends = endsOf(shape);
    return new Evaluator(ends, await ends.measure(networkOf(variant, shape), layout, threads));
  }

  /** @param parameters as in `Trainer.state` */
  async evaluate(parameters: Float32Array, inputs: Inputs, labels: Int32Array): Promise<Evaluation> {
    const { inputsPerExample: perInput, labelsPerExample: perLabel, inputNoun, hasAccuracy } = this.ends;
    const total = labels.length / perLabel;
    if (labels.length === 0 || inputs.length !== total * perInput) {
      throw new Error(
        `evaluate: ${inputs.length} ${inputNoun} for ${labels.length} labels; each label needs ${perInput / perLabel}`,
      );
    }
    const batch = this.ends.evaluationBatch;
    const losses = new Float32Array(labels.length);
    let sum = 0;
    let right = 0;
    for (let start = 0; start < total; start += batch) {
      const end = Math.min(total, start + batch);
      const taken = this.ends.blanks(batch); // the last call of a set is filled up with blanks
      const wanted = new Int32Array(batch * perLabel).fill(-1);
      taken.set(inputs.subarray(start * perInput, end * perInput));
      wanted.set(labels.subarray(start * perLabel, end * perLabel));
      const portion = await this.measure.of(parameters, taken, wanted);
      const counting = portion.losses.subarray(0, (end - start) * perLabel);
      losses.set(counting, start * perLabel);
      for (const loss of counting) sum += loss;
      right += portion.right;
    }
    const counted = labels.reduce((count, label) => (label < 0 ? count : count + 1), 0);
    const loss = sum / counted;
    return hasAccuracy ? { loss, accuracy: right / counted, losses } : { loss, losses };
  }

  async dispose(): Promise<void> {
    await this.measure.dispose();
  }
}
