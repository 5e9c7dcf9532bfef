// The ends of a classifier of images: patches are projected, attention sees all of them, and the head reads their mean.
import {
  compile,
  crossEntropy,
  input,
  mean,
  type ParameterLayout,
  reshape,
  type Tensor,
  transpose,
} from "onnx-grad";
import * as ort from "onnxruntime-node";
import type { Ends, Measure, Network, Ports } from "./ends.js";
import { compileOptions } from "./graphs.js";
import { type Normed, project, projectionSpecs, type Weights } from "./projection.js";
import type { ImageEndsShape, Inputs, ParameterSpec } from "./types.js";

export class ImageEnds implements Ends {
  readonly sizes: Readonly<Record<string, number>>;
  readonly tokens: number;
  readonly scores: number;
  readonly headRows = 1;
  readonly inputsPerExample: number;
  readonly inputNoun = "pixels";
  readonly labelsPerExample = 1;
  readonly evaluationBatch = 200;
  readonly hasAccuracy = true;

  constructor(private readonly shape: ImageEndsShape) {
    const { imageSize, patch, classes } = shape;
    this.sizes = { imageSize, patch, classes };
    this.tokens = (imageSize / patch) ** 2;
    this.scores = classes;
    this.inputsPerExample = imageSize ** 2;
  }

  misfit(): string | undefined {
    const { imageSize, patch } = this.shape;
    return imageSize % patch === 0 ? undefined : `imageSize ${imageSize} is not a multiple of patch ${patch}`;
  }

  embeddingSpecs(width: number): ParameterSpec[] {
    return projectionSpecs("patch", this.shape.patch ** 2, width);
  }

  ports(count: number): Ports {
    return {
      inputs: input("images", [count, this.inputsPerExample]),
      labels: input("labels", [count], "int32"),
    };
  }

  inputFeeds(images: Inputs): Record<string, Inputs> {
    return { images };
  }

  blanks(count: number): Inputs {
    return new Float32Array(count * this.inputsPerExample);
  }

  pack(): undefined {
    return undefined;
  }

  packedPorts(): never {
    throw new Error("images have no padding to leave out");
  }

  /** Images [count, imageSize * imageSize] -> [tokens * count, width] */
  embed(images: Tensor, weights: Weights): Tensor {
    const { imageSize, patch } = this.shape;
    const side = imageSize / patch;
    const patches = transpose(reshape(images, [-1, side, patch, side, patch]), [1, 3, 0, 2, 4]);
    return project(reshape(patches, [-1, patch * patch]), weights, "patch");
  }

  mask(): undefined {
    return undefined;
  }

  /** [count, classes] */
  head(last: Normed, count: number, weights: Weights): Tensor {
    const width = last.x.shape.at(-1)!;
    return project({ ...last, x: mean(reshape(last.x, [this.tokens, count, width]), 0) }, weights, "head");
  }

  meanLoss(scores: Tensor, { labels }: Pick<Ports, "labels">): Tensor {
    return crossEntropy(scores, labels);
  }

  exported(scores: Tensor): Tensor {
    return scores;
  }

  async measure(network: Network, layout: ParameterLayout, threads: number): Promise<Measure> {
    const { classes } = this.shape;
    const { inputs } = this.ports(this.evaluationBatch);
    const weights = layout.unpack(input("parameters", [layout.size]));
    const program = await compile(ort, { logits: network({ inputs }, weights) }, compileOptions(threads));
    return {
      async of(parameters, images, labels) {
        const scores = (await program.run({ parameters, images })).logits as Float32Array;
        const losses = new Float64Array(labels.length);
        let right = 0;
        labels.forEach((label, i) => {
          if (label < 0) return;
          const row = scores.subarray(i * classes, (i + 1) * classes);
          losses[i] = logSumExp(row) - row[label]!;
          if (row.every((score, other) => other === label || score < row[label]!)) right++;
        });
        return { losses, right };
      },
      dispose: () => program.dispose(),
    };
  }

  countedRows(rows: number): number[] {
    return Array.from({ length: rows }, (_, row) => row);
  }
}

function logSumExp(row: Float32Array): number {
  const largest = row.reduce((a, b) => Math.max(a, b));
  return largest + Math.log(row.reduce((sum, score) => sum + Math.exp(score - largest), 0));
}
