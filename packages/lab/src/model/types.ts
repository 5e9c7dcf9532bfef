// What a model of the lab is made of: a variant of the feed-forward block, a shape, and how it is trained.
import type { Activation } from "swiglu";

/** One contender: an activation with its parameters fixed at their defaults, or trained (one value per block). */
export interface Variant {
  readonly name: string;
  readonly activation: Activation;
  readonly trained: boolean;
}

export interface ModelShape {
  /** Images are imageSize x imageSize pixels, e.g. 28. */
  readonly imageSize: number;
  /** Patches are patch x patch pixels, e.g. 7: then an image is 16 tokens. */
  readonly patch: number;
  readonly classes: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Width of the feed-forward blocks' hidden layer (dFf), for this variant. */
  readonly hidden: number;
}

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
