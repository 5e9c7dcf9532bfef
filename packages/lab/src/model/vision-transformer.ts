// The lab's image model: patches -> tokens, learned positions, pre-norm blocks of attention and feed-forward, final
// norm, mean over the tokens, linear head.
import {
  type ActivateOptions,
  add,
  layerNorm,
  linear,
  matmul,
  mean,
  reshape,
  softmax,
  split,
  type Tensor,
  transpose,
} from "onnx-grad";
import { feedForward, feedForwardSpecs } from "./feed-forward.js";
import type { ModelShape, ParameterSpec, Variant } from "./types.js";

type Weights = Readonly<Record<string, Tensor>>;

/** Every parameter of the model, in a fixed order. */
export function parameterSpecs(variant: Variant, shape: ModelShape): ParameterSpec[] {
  checkShape(shape);
  const { width, depth, patch, classes } = shape;
  const outside = { inFeedForward: false };
  const projection = (name: string, input: number, output: number, gain = 1): ParameterSpec[] => [
    {
      ...outside,
      name: `${name}.weight`,
      shape: [input, output],
      init: { normal: gain / Math.sqrt(input) },
      decay: true,
    },
    { ...outside, name: `${name}.bias`, shape: [output], init: { value: 0 }, decay: false },
  ];
  const norm = (name: string): ParameterSpec[] => [
    { ...outside, name: `${name}.weight`, shape: [width], init: { value: 1 }, decay: false },
    { ...outside, name: `${name}.bias`, shape: [width], init: { value: 0 }, decay: false },
  ];
  // Every block adds twice to the stream that runs through the model: start those additions small.
  const gain = 1 / Math.sqrt(2 * depth);
  const blocks = Array.from({ length: depth }, (_, i) => [
    ...norm(`block${i}.norm1`),
    ...projection(`block${i}.qkv`, width, 3 * width),
    ...projection(`block${i}.out`, width, width, gain),
    ...norm(`block${i}.norm2`),
    ...feedForwardSpecs(variant, width, shape.hidden, `block${i}.ffn`, gain),
  ]);
  return [
    ...projection("patch", patch * patch, width),
    { ...outside, name: "position", shape: [tokensOf(shape), width], init: { normal: 0.02 }, decay: false },
    ...blocks.flat(),
    ...norm("norm"),
    ...projection("head", width, classes),
  ];
}

/**
 * Logits [count, classes] of images [count, imageSize * imageSize]. The default math is fast: the runtime's Sigmoid and
 * Erf are within 1e-5 of the value down to -5 (absolutely: 1e-7 and less), which training does not notice.
 */
export function logits(
  variant: Variant,
  shape: ModelShape,
  images: Tensor,
  weights: Weights,
  options: ActivateOptions = { math: "fast" },
): Tensor {
  const { imageSize, patch, depth } = shape;
  const count = images.shape[0]!;
  const side = imageSize / patch;
  const patches = transpose(reshape(images, [count, side, patch, side, patch]), [0, 1, 3, 2, 4]);
  const tokens = linear(
    reshape(patches, [count, side * side, patch * patch]),
    weights["patch.weight"]!,
    weights["patch.bias"]!,
  );
  let x = add(tokens, weights.position!);
  for (let i = 0; i < depth; i++) {
    x = add(x, attention(shape, norm(x, weights, `block${i}.norm1`), weights, `block${i}`));
    x = add(x, feedForward(variant, norm(x, weights, `block${i}.norm2`), weights, `block${i}.ffn`, options));
  }
  const pooled = mean(norm(x, weights, "norm"), 1);
  return linear(pooled, weights["head.weight"]!, weights["head.bias"]!);
}

function norm(x: Tensor, weights: Weights, name: string): Tensor {
  return layerNorm(x, weights[`${name}.weight`]!, weights[`${name}.bias`]!);
}

/** Multi-head self-attention over x [count, tokens, width], with its two projections. */
function attention({ heads, width }: ModelShape, x: Tensor, weights: Weights, prefix: string): Tensor {
  const [count, tokens] = x.shape as [number, number, number];
  const size = width / heads;
  const packed = linear(x, weights[`${prefix}.qkv.weight`]!, weights[`${prefix}.qkv.bias`]!);
  const byHead = transpose(reshape(packed, [count, tokens, 3, heads, size]), [2, 0, 3, 1, 4]);
  const [q, k, v] = split(byHead, [1, 1, 1], 0).map((part) => reshape(part, [count, heads, tokens, size]));
  const weight = softmax(matmul(q!, k!, { transposeB: true, scale: 1 / Math.sqrt(size) }));
  const mixed = reshape(transpose(matmul(weight, v!), [0, 2, 1, 3]), [count, tokens, width]);
  return linear(mixed, weights[`${prefix}.out.weight`]!, weights[`${prefix}.out.bias`]!);
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
