// The lab's one model, for all tasks: patches or tokens are embedded and given learned positions; pre-norm blocks of
// attention and feed-forward; a final norm; a linear head. Images: attention sees all patches, the head their mean.
// Sequences: attention sees what came before, the head every token.
import {
  add,
  cast,
  constant,
  embedding,
  greater,
  matmul,
  mean,
  mul,
  reshape,
  softmax,
  sub,
  type Tensor,
  transpose,
} from "onnx-grad";
import { type ForwardOptions, feedForward, feedForwardSpecs } from "./feed-forward.js";
import { type Normed, norm, normSpecs, project, projectionSpecs, type Weights } from "./projection.js";
import type { ImageShape, ModelShape, ParameterSpec, SequenceShape, Variant } from "./types.js";

/** Whether a model reads images; the others read sequences. */
export const isImageShape = (shape: ModelShape): shape is ImageShape => "imageSize" in shape;

/** Every parameter of the model, in a fixed order. */
export function parameterSpecs(variant: Variant, shape: ModelShape): ParameterSpec[] {
  checkShape(shape);
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
  const table = (name: string, rows: number, normal: number): ParameterSpec => ({
    name,
    shape: [rows, width],
    init: { normal },
    decay: false,
    inFeedForward: false,
  });
  return [
    ...(isImageShape(shape)
      ? projectionSpecs("patch", shape.patch ** 2, width)
      : [table("token", shape.vocabulary, EMBEDDING_DEVIATION)]),
    table("position", tokensOf(shape), 0.02),
    ...blocks.flat(),
    ...normSpecs("norm", width),
    ...projectionSpecs("head", width, isImageShape(shape) ? shape.classes : shape.vocabulary),
  ];
}

/** How far token embeddings are spread at the start. */
const EMBEDDING_DEVIATION = 0.5;

/** What the model reads beside tokens where several sequences share a row. */
export interface Packing {
  /** [rows, context] (int32): the place of each token in its sequence. */
  readonly positions: Tensor;
  /** [places] (int32): the tokens that go through the head, of all first tokens of the rows, then all second ones, and so on. */
  readonly places: Tensor;
}

/** What goes into the logits beside the data and the weights. */
interface LogitsOptions extends ForwardOptions {
  /** Of inputs that are packed sequences. */
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
  const [tokens, count] = [tokensOf(shape), inputs.shape[0]!];
  const { packing } = options;
  if (packing) return project({ ...last, x: embedding(last.x, packing.places) }, weights, "head");
  if (!isImageShape(shape)) return reshape(project(last, weights, "head"), [tokens, count, -1]);
  return project({ ...last, x: mean(reshape(last.x, [tokens, count, shape.width]), 0) }, weights, "head");
}

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
  const tokens = tokensOf(shape);
  const embedded = isImageShape(shape)
    ? embedPatches(shape, inputs, weights)
    : embedding(weights.token!, transpose(inputs));
  const positions = packing
    ? embedding(weights.position!, transpose(packing.positions))
    : reshape(weights.position!, [tokens, 1, width]);
  const mask = isImageShape(shape) ? undefined : hidingMask(shape, embedded, packing);
  let x = reshape(add(reshape(embedded, [tokens, -1, width]), positions), [-1, width]);
  for (let i = 0; i < depth; i++) {
    x = add(x, attention(shape, norm(x, weights, `block${i}.norm1`), weights, `block${i}`, mask));
    x = add(x, feedForward(variant, norm(x, weights, `block${i}.norm2`), weights, `block${i}.ffn`, options));
  }
  return norm(x, weights, "norm");
}

/** Images [count, imageSize * imageSize] -> [tokens * count, width] */
function embedPatches({ imageSize, patch }: ImageShape, images: Tensor, weights: Weights): Tensor {
  const side = imageSize / patch;
  const patches = transpose(reshape(images, [-1, side, patch, side, patch]), [1, 3, 0, 2, 4]);
  return project(reshape(patches, [-1, patch * patch]), weights, "patch");
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
  const tokens = tokensOf(shape);
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

/**
 * [context, context]: 0 where a token (row) may look, and so far below that softmax gives 0 where it may not, which is what
 * comes later. [rows, 1, context, context] of packed sequences, where it is what stands before the own sequence, too.
 */
function hidingMask({ context }: SequenceShape, { dtype }: Tensor, packing?: Packing): Tensor {
  const places = Array.from({ length: context }, (_, i) => i);
  const [looking, seen] = [constant(places, dtype, [context, 1]), constant(places, dtype, [1, context])];
  const later = cast(greater(seen, looking), dtype);
  if (packing === undefined) return mul(later, -1e9);
  const first = sub(looking, cast(reshape(packing.positions, [-1, 1, context, 1]), dtype));
  return mul(add(later, cast(greater(first, seen), dtype)), -1e9);
}

export function tokensOf(shape: ModelShape): number {
  return isImageShape(shape) ? (shape.imageSize / shape.patch) ** 2 : shape.context;
}

function checkShape(shape: ModelShape): void {
  const { width, depth, heads, hidden } = shape;
  const ends = isImageShape(shape)
    ? { imageSize: shape.imageSize, patch: shape.patch, classes: shape.classes }
    : { vocabulary: shape.vocabulary, context: shape.context };
  for (const [name, value] of Object.entries({ ...ends, width, depth, heads, hidden })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new Error(`${name} is ${value}; it must be a whole number from 1 on`);
    }
  }
  if (isImageShape(shape) && shape.imageSize % shape.patch !== 0) {
    throw new Error(`imageSize ${shape.imageSize} is not a multiple of patch ${shape.patch}`);
  }
  if (width % heads !== 0) {
    const next = heads * Math.ceil(width / heads);
    throw new Error(`width ${width} is not a multiple of heads ${heads}; choose e.g. ${next}`);
  }
}
