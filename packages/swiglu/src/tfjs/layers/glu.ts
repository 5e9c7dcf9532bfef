// The layer `Glu`: a gated activation on an input whose halves, or alternate elements, are gate and up.
import type * as tf from "@tensorflow/tfjs";
import { type Activation, asGated } from "../../catalogue/activation.js";
import { shown } from "../../errors.js";
import { type PackedLayout, packedViews } from "../../layout.js";
import { activatePackedChecked } from "../activate.js";
import type { ActivationLike, Config } from "./config.js";
import { inLayer, titleOf, ValueError } from "./errors.js";
import { ActivationLayer, type LayerArgs, type ParametersArgs } from "./layer.js";

export interface GluArgs extends LayerArgs, ParametersArgs {
  /** A gated activation; a unary `a` means `a(gate) * up`. */
  readonly activation: ActivationLike;
  /**
   * Where gate and up lie. There is no default, since half of the mistakes are made here: PyTorch's and Keras's glu, and
   * ActTensor's layers, gate with the second half, Llama-style packed weights with the first.
   */
  readonly layout: PackedLayout;
  /** The axis that is halved; negative ones count from the end. Not the batch. Default -1. */
  readonly axis?: number;
}

/**
 * `y = activation(gate, up)` for a packed input; the size along the axis is halved. Parameters that are per channel have one
 * value for each element of y's last axis.
 *
 * @example
 * const glu = new Glu({ activation: "swiglu", layout: "gate-second", inputShape: [6] });
 * tf.sequential({ layers: [glu] }).outputs[0].shape // [null, 3]
 */
export class Glu extends ActivationLayer {
  static readonly className = "SwigluGlu";
  readonly layout: PackedLayout;
  readonly axis: number;
  private readonly gated: Activation<"gated">;

  constructor(args: GluArgs) {
    super(args, { activation: args.activation });
    const { layout, axis = -1 } = args;
    inLayer(this, () => packedViews([2], { layout }));
    if (!Number.isInteger(axis) || axis === 0)
      throw new ValueError(
        `${titleOf(this)}: axis is ${shown(axis)}, expected a whole number other than 0, which is the batch`,
      );
    this.layout = layout;
    this.axis = axis;
    this.gated = asGated(this.activation);
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    this.addWeights(this.computeOutputShape(inputShape).at(-1) ?? null);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const shape = this.oneShape(inputShape);
    const position = this.position(shape.length);
    // A size that is not known is taken for an even one; tensors are checked.
    const known = shape.map((size) => size ?? 2);
    const halved = inLayer(this, () => packedViews(known, { layout: this.layout, axis: position })).shape;
    return shape.map((size, i) => (size === null ? null : (halved[i] as number)));
  }

  override computeMask(
    inputs: tf.Tensor | tf.Tensor[],
    mask?: tf.Tensor | tf.Tensor[],
  ): tf.Tensor | tf.Tensor[] {
    const [x, m] = [inputs, mask].map((given) => (Array.isArray(given) ? given[0] : given));
    if (m != null && this.position((x as tf.Tensor).rank) < m.rank)
      throw new ValueError(`${titleOf(this)}: the mask covers axis ${this.axis}, which the layer halves`);
    return super.computeMask(inputs, mask);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), layout: this.layout, axis: this.axis };
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    inLayer(this, () => packedViews(x.shape, this));
    return activatePackedChecked(this.gated, x, this.layout, this.axis, this.parameterValues());
  }

  /** The axis counted from the front. */
  private position(rank: number): number {
    const position = this.axis < 0 ? rank + this.axis : this.axis;
    if (position > 0 && position < rank) return position;
    throw new ValueError(
      `${titleOf(this)}: axis is ${this.axis}, expected one of the ${rank} axes of the input other than the batch`,
    );
  }
}
