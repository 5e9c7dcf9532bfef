// Feed-forward blocks as functions of jax-js arrays: the same forms, weights and names as the backends' blocks.
// Every array given is consumed, weights included: pass `tree.ref(weights)` to keep them.
import { type Array as JaxArray, numpy as np, tree } from "@jax-js/jax";
import { type BlockForm, forms, weightShapes } from "../block/forms.js";
import { checkGatedForm, checkUngated, checkWeights } from "../block/plan.js";
import { type Activation, asGated } from "../catalogue/activation.js";
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
  const form = checkGatedForm(activation, weights, layout);
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
  return block(forms.ungated, activation, x, weights, options.parameters);
}

function block(
  form: BlockForm,
  activation: Activation,
  x: JaxArray,
  given: object,
  parameters: JaxParameters<Activation> = {},
  layout?: PackedLayout,
): JaxArray {
  const { weights, hidden } = checkSizes(form, x, given);
  checkParameters(activation, parameters, hidden, "the hidden layer's shape");

  const linear = (from: JaxArray, name: string): JaxArray => {
    const product = matmul(from, weights[name] as JaxArray);
    const bias = weights[`${name}Bias`];
    return bias === undefined ? product : product.add(bias);
  };
  const products: Record<string, JaxArray> = { x };
  const product = (name: string): JaxArray => (products[name] as JaxArray).ref;
  for (const { weight, from } of form.products) products[weight] = linear(product(from), weight);
  const sources = Object.fromEntries(namedInputs(form, activation));
  const arrays = Object.fromEntries(Object.entries(sources).map(([input, from]) => [input, product(from)]));
  tree.dispose(products);
  const inputs = layout === undefined ? arrays : { ...arrays, layout };
  return linear(activate(activation, inputs as JaxInputs<Activation>, parameters), "down");
}

/** The product of two matrices; both are consumed. jax-js leaves empty sums in products and gradients uninitialised; here they are 0. */
function matmul(a: JaxArray, b: JaxArray): JaxArray {
  if (a.size > 0 && b.size > 0) return np.matmul(a, b);
  const { dtype } = a;
  const zeros = np.zeros([...a.shape.slice(0, -1), b.shape[1] as number], { dtype });
  tree.dispose([a, b]);
  return zeros;
}

/** The product that each input of the activation takes, by the input's name; "packed" for a packed product. */
const namedInputs = ({ inputs }: BlockForm, activation: Activation): readonly (readonly [string, string])[] =>
  inputs.map(({ product, half }, i) => [
    half === undefined ? (activation.inputs[i] as string) : "packed",
    product,
  ]);

/** Checks x and that each weight has its shape; the sizes are those of x and of `down`. */
function checkSizes(form: BlockForm, x: unknown, given: object) {
  const shape = shapeOf(checkArray(x, "x"));
  const dModel = shape.at(-1);
  if (dModel === undefined) throw new RangeError("x is a scalar, expected the shape [..., dModel]");
  const arrays = { ...(given as Readonly<Record<string, JaxArray | undefined>>) }; // inherited properties do not count
  const dFf = arrays.down === undefined ? 0 : (shapeOf(checkArray(arrays.down, "weights.down"))[0] ?? 0);
  const shapes = weightShapes(form, dModel, dFf);
  const weights = checkWeights(arrays, shapes, `this ${form.name} block`, (weight, name, expected) => {
    const own = shapeOf(checkArray(weight, name));
    if (String(own) !== String(expected))
      throw new RangeError(
        `${name} has shape [${own.join(", ")}], expected [${expected.join(", ")}]: dModel is ${dModel} (x), dFf is ${dFf} (weights.down); PyTorch's [out, in] matrices must be transposed`,
      );
  });
  return { weights, hidden: [...shape.slice(0, -1), dFf] };
}
