// Feed-forward blocks as functions of jax-js arrays: the same forms, weights and names as the backends' blocks.
// Every array given is consumed, weights included: pass `tree.ref(weights)` to keep them.
import { type Array as JaxArray, numpy as np, tree } from "@jax-js/jax";
import {
  checkUngated,
  type FfnForm,
  gatedForm,
  projections,
  requiredWeights,
  weightShapes,
} from "../backend/ffn.js";
import { type Activation, asGated } from "../catalogue/activation.js";
import { listing, rejectUnknownKeys } from "../errors.js";
import type { PackedLayout } from "../layout.js";
import {
  activate,
  checkActivation,
  checkArray,
  checkParameters,
  type JaxInputs,
  type JaxParameters,
  shapeOf,
} from "./activate.js";

type Optional<N extends string> = { readonly [K in N]?: JaxArray };
type Required<N extends string> = { readonly [K in N]: JaxArray };

/** `{ up, down }`: [dModel, dFf] and [dFf, dModel]; optional biases upBias, downBias. */
export type JaxFfnWeights = Required<"up" | "down"> & Optional<"upBias" | "downBias">;
/** `{ gate, up, down }`, or `{ packed, down }` with a layout, or `{ in, square, down }`, with optional biases. */
export type JaxGatedFfnWeights =
  | (JaxFfnWeights & Required<"gate"> & Optional<"gateBias">)
  | (Required<"packed" | "down"> & Optional<"packedBias" | "downBias">)
  | (Required<"in" | "square" | "down"> & Optional<"inBias" | "squareBias" | "downBias">);

/** What a block takes beside its weights. */
export interface JaxFfnOptions<A extends Activation = Activation> {
  /** The activation's parameters: numbers, or arrays that broadcast to [..., dFf]. */
  readonly parameters?: JaxParameters<A>;
}
export interface JaxGatedFfnOptions<A extends Activation = Activation> extends JaxFfnOptions<A> {
  /** Where gate and up lie in `weights.packed`; only with packed weights. */
  readonly layout?: PackedLayout;
}

/**
 * The gated block `y = activation(x W + b, x V + c) W2 + d` for x of shape [..., dModel]; a unary activation `a` means
 * `a(gate) * up`. Weights are [in, out]; the sizes are theirs. Differentiable in x, every weight and every parameter.
 * Throws a TypeError or RangeError that names the weight, its shape and the expected one.
 *
 * @example
 * const weights = { gate: np.ones([2, 3]), up: np.ones([2, 3]), down: np.ones([3, 2]) };
 * gatedFfn(swiglu, np.ones([5, 2]), weights).shape // [5, 2]
 */
export function gatedFfn<A extends Activation>(
  activation: A,
  x: JaxArray,
  weights: JaxGatedFfnWeights,
  options: JaxGatedFfnOptions<A> = {},
): JaxArray {
  checkActivation(activation);
  const { layout } = options;
  const form = gatedForm(activation, weights, layout);
  return block(form, asGated(activation), x, weights, options.parameters, layout);
}

/**
 * The ungated block `y = activation(x W + b) W2 + d` for x of shape [..., dModel]; otherwise as `gatedFfn`.
 *
 * @example
 * ffn(relu, np.ones([5, 2]), { up: np.ones([2, 3]), down: np.ones([3, 2]) }).shape // [5, 2]
 */
export function ffn<A extends Activation<"unary">>(
  activation: A,
  x: JaxArray,
  weights: JaxFfnWeights,
  options: JaxFfnOptions<A> = {},
): JaxArray {
  checkActivation(activation);
  checkUngated(activation);
  return block("ungated", activation, x, weights, options.parameters);
}

function block(
  form: FfnForm,
  activation: Activation,
  x: JaxArray,
  given: object,
  parameters: JaxParameters<Activation> = {},
  layout?: PackedLayout,
): JaxArray {
  const { weights, hidden } = checkWeights(form, x, given);
  checkParameters(activation, parameters, hidden, "the hidden layer's shape");

  const linear = (from: JaxArray, name: string): JaxArray => {
    const product = np.matmul(from, weights[name] as JaxArray);
    const bias = weights[`${name}Bias`];
    return bias === undefined ? product : product.add(bias);
  };
  const products: Record<string, JaxArray> = { x };
  const product = (name: string): JaxArray => (products[name] as JaxArray).ref;
  for (const { weight, from } of projections[form]) products[weight] = linear(product(from), weight);
  const sources = operandSources(form, activation);
  const operands = Object.fromEntries(sources.map(([input, source]) => [input, product(source)]));
  tree.dispose(products);
  const inputs = layout === undefined ? operands : { ...operands, layout };
  return linear(activate(activation, inputs as JaxInputs<Activation>, parameters), "down");
}

/** Which product each input of the activation is. */
function operandSources(form: FfnForm, { self }: Activation): readonly (readonly [string, string])[] {
  switch (form) {
    case "ungated":
      return [["x", "up"]];
    case "gated":
      return [
        ["gate", "gate"],
        ["up", "up"],
      ];
    case "packed":
      return [["packed", "packed"]];
    case "selfGated":
      return [
        ["gate", self === "gate" ? "in" : "square"],
        ["up", self === "gate" ? "square" : "in"],
      ];
  }
}

/** Checks x and that each weight has its shape; the sizes are those of x and of `down`. */
function checkWeights(form: FfnForm, x: unknown, given: object) {
  const shape = shapeOf(checkArray(x, "x"));
  const shapes = weightShapes[form];
  rejectUnknownKeys(given, Object.keys(shapes), "weight", `this ${form} block`);
  const weights = { ...(given as Readonly<Record<string, JaxArray | undefined>>) }; // what is inherited is not given
  const required = requiredWeights(shapes);
  for (const name of required)
    if (weights[name] === undefined)
      throw new TypeError(`weights.${name} is missing: this block needs ${listing(required)}`);
  const dModel = shape.at(-1);
  const dFf = shapeOf(checkArray(weights.down, "weights.down"))[0];
  if (dModel === undefined) throw new RangeError("x is a scalar, expected the shape [..., dModel]");
  for (const [name, sized] of Object.entries(shapes)) {
    if (weights[name] === undefined) continue;
    const own = shapeOf(checkArray(weights[name], `weights.${name}`));
    const expected = sized(dModel, dFf ?? 0);
    if (String(own) !== String(expected))
      throw new RangeError(
        `weights.${name} has shape [${own.join(", ")}], expected [${expected.join(", ")}]: dModel is ${dModel} (x), dFf is ${dFf} (weights.down); PyTorch's [out, in] matrices must be transposed`,
      );
  }
  return { weights, hidden: [...shape.slice(0, -1), dFf as number] };
}
