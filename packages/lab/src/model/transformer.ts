// The lab's one model, for all tasks: what is embedded gets learned positions; pre-norm blocks of attention and
// feed-forward; a final norm; a linear head. What goes in and what comes out is the matter of the model's ends.
import { add, embedding, matmul, reshape, softmax, type Tensor, transpose } from "onnx-grad";
import type { Ends, Network, Packing, Ports } from "./ends.js";
import { type ForwardOptions, feedForward, feedForwardSpecs } from "./feed-forward.js";
import { ImageEnds } from "./image-ends.js";
import {
  type Normed,
  norm,
  normSpecs,
  project,
  projectionSpecs,
  tableSpec,
  type Weights,
} from "./projection.js";
import { SequenceEnds } from "./sequence-ends.js";
import type { EndsShape, Inputs, ModelShape, ParameterSpec, SequenceShape, Variant } from "./types.js";

/** What differs between models of images and of sequences. */
export const endsOf = (shape: EndsShape): Ends =>
  "imageSize" in shape ? new ImageEnds(shape) : new SequenceEnds(shape);

/** Every parameter of the model, in a fixed order. */
export function parameterSpecs(variant: Variant, shape: ModelShape): ParameterSpec[] {
  const ends = endsOf(shape);
  checkShape(shape, ends);
  const { width, depth } = shape;
  // Every block adds twice to the stream that runs through the model: start those additions small.
  const gain = 1 / Math.sqrt(2 * depth);
  const blocks = Array.from({ length: depth }, (_, i) => [
    ...normSpecs(`block${i}.norm1`, width),
    ...projectionSpecs(`block${i}.query`, width, width),
    ...projectionSpecs(`block${i}.key`, width, width),
    ...projectionSpecs(`block${i}.value`, width, width),
    ...projectionSpecs(`block${i}.out`, width, width, { gain }),
    ...normSpecs(`block${i}.norm2`, width),
    ...feedForwardSpecs(variant, width, shape.hidden, `block${i}.ffn`, gain),
  ]);
  return [
    ...ends.embeddingSpecs(width),
    tableSpec("position", ends.tokens, width, 0.02),
    ...blocks.flat(),
    ...normSpecs("norm", width),
    ...projectionSpecs("head", width, ends.scores),
  ];
}

/** What goes into the logits beside the data and the weights. */
interface LogitsOptions extends ForwardOptions {
  /** Given where the inputs are packed sequences. */
  readonly packing?: Packing | undefined;
}

/**
 * Logits [count, classes] of images [count, imageSize * imageSize], or [context, count, vocabulary], tokens first, of
 * sequences [count, context] (int32); where those are packed, [places, vocabulary]. The default math is fast, i.e. the runtime's own Sigmoid, Tanh and Erf: a step is
 * 4 % faster, and activations are within 4e-6 of the exact value (for values beyond 1: of its size), which training
 * does not notice.
 */
export function logits(
  variant: Variant,
  shape: ModelShape,
  inputs: Tensor,
  weights: Weights,
  options: LogitsOptions = { math: "fast" },
): Tensor {
  const last = lastNorm(variant, shape, inputs, weights, options);
  return endsOf(shape).head(last, inputs.shape[0]!, weights, options.packing);
}

/** The same as a function of what the model reads. */
export const networkOf =
  (variant: Variant, shape: ModelShape): Network =>
  ({ inputs, packing }, weights) =>
    logits(variant, shape, inputs, weights, { math: "fast", packing });

/** What the head reads: the final norm of every token, [tokens * count, width], all first tokens first. */
function lastNorm(
  variant: Variant,
  shape: ModelShape,
  inputs: Tensor,
  weights: Weights,
  options: LogitsOptions,
): Normed {
  const { depth, width } = shape;
  const { packing } = options;
  const ends = endsOf(shape);
  const { tokens } = ends;
  const embedded = ends.embed(inputs, weights);
  const positions = packing
    ? embedding(weights.position!, transpose(packing.positions))
    : reshape(weights.position!, [tokens, 1, width]);
  const mask = ends.mask(embedded.dtype, packing);
  let x = reshape(add(reshape(embedded, [tokens, -1, width]), positions), [-1, width]);
  for (let i = 0; i < depth; i++) {
    x = add(x, attention(shape, norm(x, weights, `block${i}.norm1`), weights, `block${i}`, mask));
    x = add(x, feedForward(variant, norm(x, weights, `block${i}.norm2`), weights, `block${i}.ffn`, options));
  }
  return norm(x, weights, "norm");
}

/**
 * Multi-head self-attention over rows [tokens * count, width], with its projections. With the tokens first, ONNX Runtime
 * takes these transpositions into the products instead of moving data (a step is 4 % faster).
 */
function attention(
  shape: ModelShape,
  input: Normed,
  weights: Weights,
  prefix: string,
  mask: Tensor | undefined,
): Tensor {
  const { heads, width } = shape;
  const { tokens } = endsOf(shape);
  const size = width / heads;
  const [query, key, value] = ["query", "key", "value"].map((name) => {
    const projected = project(input, weights, `${prefix}.${name}`);
    return transpose(reshape(projected, [tokens, -1, heads, size]), [1, 2, 0, 3]);
  });
  const scores = matmul(query!, key!, { transposeB: true, scale: 1 / Math.sqrt(size) });
  const share = softmax(mask ? add(scores, mask) : scores);
  const mixed = transpose(matmul(share, value!), [2, 0, 1, 3]);
  return project(reshape(mixed, [-1, width]), weights, `${prefix}.out`);
}

/** Ports for `count` examples. */
export const ports = (shape: ModelShape, count: number): Ports => endsOf(shape).ports(count);

/** Ports for a packed batch of `rows` rows. */
export const packedPorts = (shape: SequenceShape, rows: number): Required<Ports> =>
  endsOf(shape).packedPorts(rows);

/** Data for the tensors of `ports`. */
export const feeds = (shape: ModelShape, inputs: Inputs, labels: Int32Array): Record<string, Inputs> => ({
  ...endsOf(shape).inputFeeds(inputs),
  labels,
});

/** The mean cross-entropy of examples in nats, padding left out: what training minimises. */
export const meanLoss = (variant: Variant, shape: ModelShape, taken: Ports, weights: Weights): Tensor =>
  endsOf(shape).meanLoss(networkOf(variant, shape)(taken, weights), taken);

function checkShape({ width, depth, heads, hidden }: ModelShape, ends: Ends): void {
  for (const [name, value] of Object.entries({ ...ends.sizes, width, depth, heads, hidden })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new Error(`${name} is ${value}; it must be a whole number from 1 on`);
    }
  }
  const misfit = ends.misfit();
  if (misfit !== undefined) throw new Error(misfit);
  if (width % heads !== 0) {
    const next = heads * Math.ceil(width / heads);
    throw new Error(`width ${width} is not a multiple of heads ${heads}; choose e.g. ${next}`);
  }
}
