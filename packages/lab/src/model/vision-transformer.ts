// The lab's image model: patches -> tokens, learned positions, pre-norm blocks of attention and feed-forward, final
// norm, mean over the tokens, linear head.
import { type ActivateOptions, add, matmul, mean, reshape, softmax, type Tensor, transpose } from "onnx-grad";
import { feedForward, feedForwardSpecs } from "./feed-forward.js";
import { type Normed, norm, normSpecs, project, projectionSpecs, type Weights } from "./projection.js";
import type { ModelShape, ParameterSpec, Variant } from "./types.js";

/** Every parameter of the model, in a fixed order. */
export function parameterSpecs(variant: Variant, shape: ModelShape): ParameterSpec[] {
  checkShape(shape);
  const { width, depth, patch, classes } = shape;
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
    ...projectionSpecs("patch", patch * patch, width),
    {
      name: "position",
      shape: [tokensOf(shape), width],
      init: { normal: 0.02 },
      decay: false,
      inFeedForward: false,
    },
    ...blocks.flat(),
    ...normSpecs("norm", width),
    ...projectionSpecs("head", width, classes),
  ];
}

/**
 * Logits [count, classes] of images [count, imageSize * imageSize]. The default math is fast, i.e. the runtime's own
 * Sigmoid, Tanh and Erf: a step is 4 % faster, and activations are within 4e-6 of the exact value (for values beyond
 * 1: of its size), which training does not notice.
 */
export function logits(
  variant: Variant,
  shape: ModelShape,
  images: Tensor,
  weights: Weights,
  options: ActivateOptions = { math: "fast" },
): Tensor {
  const { imageSize, patch, depth, width } = shape;
  const count = images.shape[0]!;
  const side = imageSize / patch;
  const tokens = tokensOf(shape);
  // Activations are matrices of one row per token, all images' first tokens first.
  const rows = tokens * count;
  const patches = transpose(reshape(images, [count, side, patch, side, patch]), [1, 3, 0, 2, 4]);
  const embedded = project(reshape(patches, [rows, patch * patch]), weights, "patch");
  const positions = reshape(weights.position!, [tokens, 1, width]);
  let x = reshape(add(reshape(embedded, [tokens, count, width]), positions), [rows, width]);
  for (let i = 0; i < depth; i++) {
    x = add(x, attention(shape, norm(x, weights, `block${i}.norm1`), weights, `block${i}`));
    x = add(x, feedForward(variant, norm(x, weights, `block${i}.norm2`), weights, `block${i}.ffn`, options));
  }
  const last = norm(x, weights, "norm");
  return project({ ...last, x: mean(reshape(last.x, [tokens, count, width]), 0) }, weights, "head");
}

/**
 * Multi-head self-attention over rows [tokens * count, width], with its projections. With the tokens first, ONNX Runtime
 * takes these transpositions into the products instead of moving data (a step is 4 % faster).
 */
function attention(shape: ModelShape, input: Normed, weights: Weights, prefix: string): Tensor {
  const { heads, width } = shape;
  const tokens = tokensOf(shape);
  const size = width / heads;
  const [query, key, value] = ["query", "key", "value"].map((name) => {
    const projected = project(input, weights, `${prefix}.${name}`);
    return transpose(reshape(projected, [tokens, -1, heads, size]), [1, 2, 0, 3]);
  });
  const share = softmax(matmul(query!, key!, { transposeB: true, scale: 1 / Math.sqrt(size) }));
  const mixed = transpose(matmul(share, value!), [2, 0, 1, 3]);
  return project(reshape(mixed, [-1, width]), weights, `${prefix}.out`);
}

function tokensOf({ imageSize, patch }: ModelShape): number {
  return (imageSize / patch) ** 2;
}

function checkShape({ imageSize, patch, classes, width, depth, heads, hidden }: ModelShape): void {
  for (const [name, value] of Object.entries({ imageSize, patch, classes, width, depth, heads, hidden })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new Error(`${name} is ${value}; it must be a whole number from 1 on`);
    }
  }
  if (imageSize % patch !== 0) throw new Error(`imageSize ${imageSize} is not a multiple of patch ${patch}`);
  if (width % heads !== 0) {
    const next = heads * Math.ceil(width / heads);
    throw new Error(`width ${width} is not a multiple of heads ${heads}; choose e.g. ${next}`);
  }
}
