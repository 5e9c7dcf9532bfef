// The layer `SelfGated`: the input itself is gate or up, and one square projection of it is the other.
import type * as tf from "@tensorflow/tfjs";
import { activateChecked } from "../activate.js";
import { overRows } from "../feed-forward.js";
import { project } from "../project.js";
import type { ActivationLike, Config } from "./config.js";
import { titleOf, ValueError } from "./errors.js";
import { ActivationLayer, type LayerArgs, type ParametersArgs } from "./layer.js";
import type { WeightArgs } from "./weights.js";

const weights = ["kernel", "bias"] as const;

export interface SelfGatedArgs extends LayerArgs, ParametersArgs, WeightArgs<(typeof weights)[number]> {
  /** A self-gated activation: "swigluBlend" (default), "selfGlu", or one that you define with `self`. */
  readonly activation?: ActivationLike;
  /** Whether the projection has a bias. Default true. */
  readonly useBias?: boolean;
}

/**
 * With `p = x kernel + bias`: swigluBlend is `x s(beta x) + (1 - s(beta x)) p`, selfGlu is `x s(p)`, where s is the logistic
 * function. The shape stays as it is.
 *
 * @example
 * const blend = new SelfGated({ parameters: { beta: { trainable: true } }, inputShape: [3] });
 * tf.sequential({ layers: [blend] }).countParams() // 13
 */
export class SelfGated extends ActivationLayer {
  static readonly className = "SwigluSelfGated";
  readonly useBias: boolean;

  constructor(args: SelfGatedArgs = {}) {
    super(args, { activation: args.activation ?? "swigluBlend", weights });
    if (this.activation.self === undefined)
      throw new ValueError(
        `${titleOf(this)}: ${this.activation.name} is not self-gated: use selfGlu or swigluBlend, or a GatedDense layer`,
      );
    this.useBias = args.useBias ?? true;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const size = this.features(this.oneShape(inputShape));
    this.addWeights(size, { kernel: [size, size], ...(this.useBias ? { bias: [size] } : {}) });
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return this.oneShape(inputShape);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), useBias: this.useBias };
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const { kernel, bias } = this.tensors({ kernel: "kernel", bias: "bias" });
    return overRows(x, (rows) => {
      const other = project(rows, kernel as tf.Tensor, bias);
      const [gate, up] = this.activation.self === "gate" ? [rows, other] : [other, rows];
      return activateChecked(this.activation, { gate, up }, this.parameterValues());
    });
  }
}
