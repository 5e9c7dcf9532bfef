// What a block is made from: its weights in each of their forms, and its options.

import type { Data, ParameterValue } from "../call/data.js";
import type { Activation } from "../catalogue/activation.js";
import type { PackedLayout } from "../layout.js";

/** Weights of an ungated block; matrices are row-major [in, out]. */
export interface FfnWeights {
  /** [dModel, dFf] */
  readonly up: Data;
  /** [dFf, dModel] */
  readonly down: Data;
  /** [dFf] */
  readonly upBias?: Data;
  /** [dModel] */
  readonly downBias?: Data;
}

/** Weights of a gated block with two projections. */
export interface SeparateWeights extends FfnWeights {
  /** [dModel, dFf] */
  readonly gate: Data;
  /** [dFf] */
  readonly gateBias?: Data;
}

/** Weights of a gated block whose gate and up are one matrix, in the block's `layout`. */
export interface PackedWeights {
  /** [dModel, 2 dFf] */
  readonly packed: Data;
  /** [dFf, dModel] */
  readonly down: Data;
  /** [2 dFf] */
  readonly packedBias?: Data;
  /** [dModel] */
  readonly downBias?: Data;
}

/** Weights of a self-gated block: `in` projects x to one input of the activation, `square` projects that to the other. */
export interface SelfGatedWeights {
  /** [dModel, dFf] */
  readonly in: Data;
  /** [dFf, dFf] */
  readonly square: Data;
  /** [dFf, dModel] */
  readonly down: Data;
  /** [dFf] */
  readonly inBias?: Data;
  /** [dFf] */
  readonly squareBias?: Data;
  /** [dModel] */
  readonly downBias?: Data;
}
export type GatedFfnWeights = SeparateWeights | PackedWeights | SelfGatedWeights;

/** What every block is made from. */
export interface FfnOptions<W = FfnWeights> {
  readonly activation: Activation;
  /** The width of the block's input and output. */
  readonly dModel: number;
  /** The width of its hidden layer. */
  readonly dFf: number;
  readonly weights: W;
  /** The activation's parameters: numbers, or arrays whose length divides dFf. Defaults from the definition. */
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  /**
   * Whether a recorded pass keeps only x, and computes the activation's inputs again in its backward: rows * dModel
   * numbers instead of that and 2 rows * dFf (dFf where ungated). Default false. The reference keeps everything anyway.
   */
  readonly recompute?: boolean;
}
export interface GatedFfnOptions<W extends GatedFfnWeights = GatedFfnWeights> extends FfnOptions<W> {
  /** Where gate and up lie in `weights.packed`; only with packed weights. */
  readonly layout?: PackedLayout;
}
