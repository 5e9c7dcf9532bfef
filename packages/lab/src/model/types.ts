// What a model of the lab is made of: a variant of the feed-forward block, a shape, and how it is trained.
import type { Activation } from "swiglu";

/** One contender: an activation with its parameters fixed at their defaults, or trained (one value per block). */
export interface Variant {
  readonly name: string;
  readonly activation: Activation;
  readonly trained: boolean;
}

interface BlockShape {
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Width of the feed-forward blocks' hidden layer (dFf), for this variant. */
  readonly hidden: number;
}

/** The ends of a classifier of images. */
export interface ImageEndsShape {
  /** Images are imageSize x imageSize pixels, e.g. 28. */
  readonly imageSize: number;
  /** Patches are patch x patch pixels, e.g. 7: then an image is 16 tokens. */
  readonly patch: number;
  readonly classes: number;
}

/** The ends of a decoder, which predicts every token of a sequence from those before it. */
export interface SequenceEndsShape {
  /** Tokens are the numbers 0 to vocabulary - 1. */
  readonly vocabulary: number;
  /** Tokens of a sequence, and positions that the model knows. */
  readonly context: number;
}

/** A classifier of images. */
export interface ImageShape extends BlockShape, ImageEndsShape {}

/** A decoder: it predicts every token of a sequence from those before it. */
export interface SequenceShape extends BlockShape, SequenceEndsShape {}

export type ModelShape = ImageShape | SequenceShape;

/** A model's shape without its blocks. */
export type EndsShape = ImageEndsShape | SequenceEndsShape;

/** What a model reads: pixels in [0, 1] of images, or tokens of sequences; row-major, one example after the other. */
export type Inputs = Float32Array | Int32Array;

/** AdamW with beta1 0.9, beta2 0.999, epsilon 1e-8. */
export interface TrainOptions {
  readonly batch: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  readonly threads: number;
}

/** How a parameter starts: drawn from a normal distribution of this deviation, or all one value. */
export type Init = { readonly normal: number } | { readonly value: number };

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: Init;
  /** Whether weight decay applies: matrices yes; biases, norms, positions and activation parameters no. */
  readonly decay: boolean;
  readonly inFeedForward: boolean;
}
