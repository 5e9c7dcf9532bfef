// The loss of a model on any number of images or sequences, and of each label.
import { compile, input, type ParameterLayout, type Program } from "onnx-grad";
import * as ort from "onnxruntime-node";
import { compileOptions, GraphsBySize } from "./graphs.js";
import { losses, packedPorts, ports } from "./loss.js";
import { pack } from "./packing.js";
import { isImageShape, logits } from "./transformer.js";
import type { ImageShape, Inputs, ModelShape, SequenceShape, Variant } from "./types.js";

export interface Evaluation {
  /** Mean cross-entropy in nats over the labels that are not padding. */
  readonly loss: number;
  /** Share of images that are labelled rightly; not measured for sequences. */
  readonly accuracy?: number;
  /** The cross-entropy of every label, in the order of the labels; 0 where it is padding. */
  readonly losses: Float32Array;
}

/** What became of a call's worth of examples. */
interface Portion {
  readonly losses: Float32Array | Float64Array;
  /** Images that are labelled rightly. */
  readonly right: number;
}

/** Measures one call's worth of examples. */
interface Measure {
  of(parameters: Float32Array, inputs: Inputs, labels: Int32Array): Promise<Portion>;
  dispose(): Promise<void>;
}

export class Evaluator {
  private constructor(
    private readonly shape: ModelShape,
    private readonly measure: Measure,
  ) {}

  static async create(
    variant: Variant,
    shape: ModelShape,
    layout: ParameterLayout,
    threads: number,
  ): Promise<Evaluator> {
    const measure = isImageShape(shape)
      ? await measureImages(variant, shape, layout, threads)
      : await measureSequences(variant, shape, layout, threads);
    return new Evaluator(shape, measure);
  }

  /** @param parameters as in `Trainer.state` */
  async evaluate(parameters: Float32Array, inputs: Inputs, labels: Int32Array): Promise<Evaluation> {
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
    let right = 0;
    for (let start = 0; start < total; start += batch) {
      const end = Math.min(total, start + batch);
      // The last call of a set is filled up with blanks.
      const taken = isImageShape(shape)
        ? new Float32Array(batch * perInput)
        : new Int32Array(batch * perInput);
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
    return isImageShape(shape) ? { loss, accuracy: right / counted, losses } : { loss, losses };
  }

  async dispose(): Promise<void> {
    await this.measure.dispose();
  }
}

/** Examples that one call takes: 200 images, or sequences of about 2,048 tokens. */
export function evaluationBatch(shape: ModelShape): number {
  return isImageShape(shape) ? 200 : Math.ceil(2048 / shape.context);
}

async function measureImages(
  variant: Variant,
  shape: ImageShape,
  layout: ParameterLayout,
  threads: number,
): Promise<Measure> {
  const { inputs } = ports(shape, evaluationBatch(shape));
  const weights = layout.unpack(input("parameters", [layout.size]));
  const program = await compile(
    ort,
    { logits: logits(variant, shape, inputs, weights) },
    compileOptions(threads),
  );
  return {
    async of(parameters, images, labels) {
      const scores = (await program.run({ parameters, images })).logits as Float32Array;
      const losses = new Float64Array(labels.length);
      let right = 0;
      labels.forEach((label, i) => {
        if (label < 0) return;
        const row = scores.subarray(i * shape.classes, (i + 1) * shape.classes);
        losses[i] = logSumExp(row) - row[label]!;
        if (row.every((score, other) => other === label || score < row[label]!)) right++;
      });
      return { losses, right };
    },
    dispose: () => program.dispose(),
  };
}

async function measureSequences(
  variant: Variant,
  shape: SequenceShape,
  layout: ParameterLayout,
  threads: number,
): Promise<Measure> {
  const graphOf = (taken: ReturnType<typeof ports>): Promise<Program> => {
    const weights = layout.unpack(input("parameters", [layout.size]));
    return compile(ort, { losses: losses(variant, shape, taken, weights) }, compileOptions(threads));
  };
  const whole = await graphOf(ports(shape, evaluationBatch(shape)));
  const packed = new GraphsBySize((rows) => graphOf(packedPorts(shape, rows)));
  return {
    async of(parameters, inputs, labels) {
      const tokens = Int32Array.from(inputs);
      const batch = pack(tokens, labels, shape.context);
      if (batch === undefined) {
        const results = await whole.run({ parameters, tokens, labels });
        return { losses: results.losses as Float32Array, right: 0 };
      }
      const results = await (await packed.of(batch.rows)).run({ parameters, ...batch.feeds });
      const losses = new Float32Array(labels.length);
      batch.origins.forEach((origin, i) => {
        losses[origin] = Number(results.losses![i]);
      });
      return { losses, right: 0 };
    },
    async dispose() {
      await whole.dispose();
      await packed.dispose();
    },
  };
}

function logSumExp(row: Float32Array): number {
  const largest = row.reduce((a, b) => Math.max(a, b));
  return largest + Math.log(row.reduce((sum, score) => sum + Math.exp(score - largest), 0));
}
