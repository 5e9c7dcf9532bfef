// The layer `GatedFfn`: a gated feed-forward block, as in the transformers since 2022.
import type * as tf from "@tensorflow/tfjs";
import { forms } from "../../block/forms.js";
import { type Activation, asGated } from "../../catalogue/activation.js";
import { blockChecked } from "../feed-forward.js";
import type { ActivationLike, Config } from "./config.js";
import { ActivationLayer, checkWidth, type LayerArgs, type ParametersArgs } from "./layer.js";
import type { WeightArgs } from "./weights.js";

const weights = ["gateKernel", "gateBias", "upKernel", "upBias", "downKernel", "downBias"] as const;

export interface GatedFfnArgs extends LayerArgs, ParametersArgs, WeightArgs<(typeof weights)[number]> {
  /** The width of the hidden layer; 2/3 of an ungated block's matches its number of weights. */
  readonly dFf: number;
  /** A gated activation; a unary `a` means `a(gate) * up`. Default "swiglu". */
  readonly activation?: ActivationLike;
  /** Whether the three projections have biases. Default false, as published. */
  readonly useBias?: boolean;
}

/**
 * `y = activation(x gateKernel + gateBias, x upKernel + upBias) downKernel + downBias`, for inputs of any rank of 2 or more,
 * whose shape stays as it is. Per-channel parameters have dFf values. Source: Shazeer 2020 (arXiv 2002.05202).
 *
 * @example
 * const model = tf.sequential({ layers: [new GatedFfn({ dFf: 8, inputShape: [5, 3] })] });
 * model.countParams() // 72
 */
export class GatedFfn extends ActivationLayer {
  static readonly className = "SwigluGatedFfn";
  readonly dFf: number;
  readonly useBias: boolean;
  private readonly gated: Activation<"gated">;

  constructor(args: GatedFfnArgs) {
    super(args, { activation: args.activation ?? "swiglu", weights });
    this.dFf = checkWidth(this, "dFf", args.dFf);
    this.useBias = args.useBias ?? false;
    this.gated = asGated(this.activation);
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const dModel = this.features(this.oneShape(inputShape));
    const { dFf } = this;
    this.addWeights(dFf, {
      gateKernel: [dModel, dFf],
      upKernel: [dModel, dFf],
      downKernel: [dFf, dModel],
      ...(this.useBias ? { gateBias: [dFf], upBias: [dFf], downBias: [dModel] } : {}),
    });
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return this.oneShape(inputShape);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), dFf: this.dFf, useBias: this.useBias };
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const tensors = this.tensors({
      gate: "gateKernel",
      gateBias: "gateBias",
      up: "upKernel",
      upBias: "upBias",
      down: "downKernel",
      downBias: "downBias",
    });
    return blockChecked(forms.gated, this.gated, x, tensors, this.parameterValues());
  }
}
