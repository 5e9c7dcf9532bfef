// The layer `GatedDense`: activation(x W + b, x V + c), the gated layer of the papers.
import type * as tf from "@tensorflow/tfjs";
import { type Activation, asGated } from "../../catalogue/activation.js";
import { gatedDenseChecked } from "../feed-forward.js";
import type { ActivationLike, Config } from "./config.js";
import { ActivationLayer, checkWidth, type LayerArgs, type ParametersArgs } from "./layer.js";
import type { WeightArgs } from "./weights.js";

const weights = ["gateKernel", "gateBias", "upKernel", "upBias"] as const;

export interface GatedDenseArgs extends LayerArgs, ParametersArgs, WeightArgs<(typeof weights)[number]> {
  /** The size of the output's last axis. */
  readonly units: number;
  /** A gated activation; a unary `a` means `a(gate) * up`. Default "swiglu". */
  readonly activation?: ActivationLike;
  /** Whether both projections have a bias. Default true. */
  readonly useBias?: boolean;
}

/**
 * `y = activation(x gateKernel + gateBias, x upKernel + upBias)`, for inputs of any rank of 2 or more.
 * Source: Dauphin et al. 2016 (arXiv 1612.08083), Shazeer 2020 (arXiv 2002.05202).
 *
 * @example
 * const model = tf.sequential({ layers: [new GatedDense({ units: 4, activation: "geglu", inputShape: [3] })] });
 * model.countParams() // 32
 */
export class GatedDense extends ActivationLayer {
  static readonly className = "SwigluGatedDense";
  readonly units: number;
  readonly useBias: boolean;
  private readonly gated: Activation<"gated">;

  constructor(args: GatedDenseArgs) {
    super(args, { activation: args.activation ?? "swiglu", weights });
    this.units = checkWidth(this, "units", args.units);
    this.useBias = args.useBias ?? true;
    this.gated = asGated(this.activation);
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const kernel = [this.features(this.oneShape(inputShape)), this.units];
    const bias = [this.units];
    this.addWeights(this.units, {
      gateKernel: kernel,
      upKernel: kernel,
      ...(this.useBias ? { gateBias: bias, upBias: bias } : {}),
    });
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return [...this.oneShape(inputShape).slice(0, -1), this.units];
  }

  override getConfig(): Config {
    return { ...super.getConfig(), units: this.units, useBias: this.useBias };
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const tensors = this.tensors({
      gate: "gateKernel",
      gateBias: "gateBias",
      up: "upKernel",
      upBias: "upBias",
    });
    return gatedDenseChecked(this.gated, x, tensors, this.parameterValues());
  }
}
