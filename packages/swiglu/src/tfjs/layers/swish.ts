// The layer `Swish`: x sigmoid(beta x), beta fixed, or trained for the layer or for each channel.
import type * as tf from "@tensorflow/tfjs";
import { activations } from "../../catalogue/catalogue.js";
import { activateChecked } from "../activate.js";
import { ActivationLayer, type LayerArgs, type ParametersArgs } from "./layer.js";
import type { ParameterLike } from "./parameters.js";

export interface SwishArgs extends LayerArgs, ParametersArgs {
  /** The slope: a number or one for each channel, or `{ value, trainable: "per-layer" | "per-channel", ... }`. Default 1. */
  readonly beta?: ParameterLike;
}

/**
 * `y = x sigmoid(beta x)`, for inputs of any rank of 2 or more. Channels lie along the last axis.
 * Source: Ramachandran, Zoph and Le 2017 (arXiv 1710.05941).
 *
 * @example
 * const model = tf.sequential({ layers: [new Swish({ inputShape: [3], beta: { trainable: "per-channel" } })] });
 * model.countParams() // 3
 */
export class Swish extends ActivationLayer {
  static readonly className = "SwigluSwish";

  constructor({ beta, ...args }: SwishArgs = {}) {
    const parameters = beta === undefined ? {} : { parameters: { beta } };
    super({ ...args, ...parameters }, { activation: activations.swish });
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    this.addWeights(this.oneShape(inputShape).at(-1) ?? null);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return this.oneShape(inputShape);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return activateChecked(this.activation, { x }, this.parameterValues());
  }
}
