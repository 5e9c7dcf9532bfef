// Looks into a model in training: the loss and its whole gradient, and what goes on at the activations of every block. Both
// are graphs of the model's own files, differentiated like the training step; no formula is written again.
import {
  activate,
  compile,
  expand,
  gradient,
  input,
  ParameterLayout,
  type Program,
  type Tensor,
} from "onnx-grad";
import * as ort from "onnxruntime-node";
import { type Expr, expressions } from "swiglu";
import { compileOptions } from "../model/graphs.js";
import type { Weights } from "../model/projection.js";
import { endsOf, feeds, logits, meanLoss, parameterSpecs, ports } from "../model/transformer.js";
import type { ModelShape, Variant } from "../model/types.js";
import type { Batch } from "../tasks/common/task.js";
import { crossSection } from "./section.js";

/** What goes on at the activation of a block: one value for each token, image or sequence, and hidden unit, row-major. */
export interface Layer {
  /** The input of the nonlinearity: x of a unary activation, the gate of a gated one. */
  readonly gate: Float32Array;
  /** The activation's slope along it, at up = 1. */
  readonly slope: Float32Array;
  /** What up is multiplied by; where there is no up, the hidden value. */
  readonly factor: Float32Array;
  /** Hidden units: the length of a row. */
  readonly units: number;
}

const PARTS = ["gate", "slope", "factor"] as const;

export class Inspector {
  private constructor(
    readonly shape: ModelShape,
    private readonly loss: Program,
    private readonly inside: Program,
  ) {}

  /** @param examples of the batches that it looks at */
  static async create(
    variant: Variant,
    shape: ModelShape,
    examples: number,
    threads: number,
  ): Promise<Inspector> {
    const layout = new ParameterLayout(parameterSpecs(variant, shape));
    const parameters = input("parameters", [layout.size]);
    const weights = layout.unpack(parameters);
    const taken = ports(shape, examples);
    const loss = meanLoss(variant, shape, taken, weights);
    const blocks: Record<string, Tensor>[] = [];
    const watch = (variables: Weights): void => void blocks.push(sectionTensors(variant, variables));
    logits(variant, shape, taken.inputs, weights, { watch });
    const named = blocks.flatMap((block, i) => PARTS.map((part) => [`${part}${i}`, block[part]!] as const));
    return new Inspector(
      shape,
      await compile(ort, { loss, gradient: gradient(loss, [parameters])[0]! }, compileOptions(threads)),
      await compile(ort, Object.fromEntries(named), compileOptions(threads)),
    );
  }

  /** The mean loss of a batch, and its gradient in all parameters; parameters as in `Trainer.state`. */
  async lossAt(
    parameters: Float32Array,
    { inputs, labels }: Batch,
  ): Promise<{ loss: number; gradient: Float32Array }> {
    const results = await this.loss.run({ parameters, ...feeds(this.shape, inputs, labels) });
    return { loss: Number(results.loss![0]), gradient: results.gradient as Float32Array };
  }

  /** Every block's layer. Tokens are rows, all first tokens of the examples first. */
  async layersAt(parameters: Float32Array, { inputs }: Pick<Batch, "inputs">): Promise<Layer[]> {
    const { depth, hidden: units } = this.shape;
    const results = await this.inside.run({
      parameters,
      ...endsOf(this.shape).inputFeeds(inputs),
    });
    return Array.from({ length: depth }, (_, i) => {
      const [gate, slope, factor] = PARTS.map((part) => results[`${part}${i}`] as Float32Array);
      return { gate: gate!, slope: slope!, factor: factor!, units };
    });
  }

  async dispose(): Promise<void> {
    await this.loss.dispose();
    await this.inside.dispose();
  }
}

/** The layer as tensors, from those that stand for the activation's inputs and trained parameters. */
function sectionTensors({ activation, trained }: Variant, variables: Weights): Record<string, Tensor> {
  const { slope, factor } = crossSection(activation);
  const gate = variables[activation.kind === "unary" ? "x" : "gate"]!;
  const along = (expr: Expr): Tensor => {
    const known = trained ? expr : expressions.substitute(expr, activation.parameters);
    return expand(activate(known, { ...variables, gate }), gate.shape);
  };
  return { gate, slope: along(slope), factor: along(factor) };
}
