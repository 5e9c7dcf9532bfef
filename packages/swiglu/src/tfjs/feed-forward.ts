// Gated projections and feed-forward blocks on tensors, differentiable in x, all weights and parameters that are tensors.
// Fused where the current backend has kernels for them, composed of projections and activations elsewhere.
import * as tf from "@tensorflow/tfjs";
import { type BlockForm, forms, type InputSource, weightShapes } from "../block/forms.js";
import { checkGatedForm, checkUngated, checkWeights } from "../block/plan.js";
import { type Activation, asGated, type Parameters } from "../catalogue/activation.js";
import { type PackedLayout, sizeOf } from "../layout.js";
import { activateChecked, activatePackedChecked, checkParameters, type Parameter } from "./activate.js";
import { project } from "./project.js";
import { fusedOr, type Tensors, type Values } from "./seam.js";

/** Two projections of one input, [in, units] each, with optional biases [units]. */
export interface GatedDenseWeights {
  readonly gate: tf.Tensor;
  readonly up: tf.Tensor;
  readonly gateBias?: tf.Tensor;
  readonly upBias?: tf.Tensor;
}

/** The weights of an ungated block: [dModel, dFf] and [dFf, dModel], and biases. */
export interface FfnTensors {
  readonly up: tf.Tensor;
  readonly down: tf.Tensor;
  readonly upBias?: tf.Tensor;
  readonly downBias?: tf.Tensor;
}

/** The weights of a gated block: gate and up separate, or in one matrix, or self-gated; with biases as in the core. */
export type GatedFfnTensors =
  | (GatedDenseWeights & { readonly down: tf.Tensor; readonly downBias?: tf.Tensor })
  | {
      readonly packed: tf.Tensor;
      readonly down: tf.Tensor;
      readonly packedBias?: tf.Tensor;
      readonly downBias?: tf.Tensor;
    }
  | {
      readonly in: tf.Tensor;
      readonly square: tf.Tensor;
      readonly down: tf.Tensor;
      readonly inBias?: tf.Tensor;
      readonly squareBias?: tf.Tensor;
      readonly downBias?: tf.Tensor;
    };

/**
 * `y = activation(x gate + gateBias, x up + upBias)`, the paper's gated layer. x: [..., in]; y: [..., units]. A unary
 * activation `a` means `a(gate) * up`. Throws a TypeError or RangeError that names the argument.
 *
 * @example
 * const weights = { gate: tf.ones([3, 4]), up: tf.ones([3, 4]) };
 * gatedDense(swiglu, tf.ones([2, 3]), weights).shape // [2, 4]
 */
export function gatedDense<A extends Activation>(
  activation: A,
  x: tf.Tensor,
  weights: GatedDenseWeights,
  parameters?: Parameters<A, Parameter>,
): tf.Tensor {
  const [dIn, units] = [x.shape.at(-1) ?? 0, weights.up?.shape[1] ?? 0];
  const shapes = Object.fromEntries(
    Object.entries(weightShapes(forms.gated, dIn, units)).filter(([name]) => !name.startsWith("down")),
  );
  const checked = checkTensors(weights, shapes, "a gated projection");
  return gatedDenseChecked(asGated(activation), x, checked, checkParameters(activation, parameters, [units]));
}

/** `gatedDense` of what has been checked already. */
export function gatedDenseChecked(
  activation: Activation,
  x: tf.Tensor,
  weights: Tensors,
  parameters: Values,
): tf.Tensor {
  return overRows(x, (rows) =>
    fusedOr(
      "SwigluGatedDense",
      { x: rows, ...weights },
      { activation, parameters },
      (tensors, values, free) => hidden(forms.gated, free, tensors, values),
    ),
  );
}

/**
 * A gated feed-forward block, `y = activation(x gate + gateBias, x up + upBias) down + downBias`, in every form of the core:
 * with packed weights (and their `layout`), and self-gated. x and y: [..., dModel]. Throws as `gatedDense` does.
 *
 * @example
 * const weights = { gate: tf.ones([3, 4]), up: tf.ones([3, 4]), down: tf.ones([4, 3]) };
 * gatedFfn(swiglu, tf.ones([2, 3]), weights).shape // [2, 3]
 */
export function gatedFfn<A extends Activation>(
  activation: A,
  x: tf.Tensor,
  weights: GatedFfnTensors,
  parameters?: Parameters<A, Parameter>,
  { layout }: { readonly layout?: PackedLayout } = {},
): tf.Tensor {
  const gated = asGated(activation);
  const form = checkGatedForm(gated, weights, layout);
  return block(form, gated, x, weights, checkBlockParameters(activation, parameters, weights), layout);
}

/**
 * An ungated feed-forward block, `y = activation(x up + upBias) down + downBias`, of a unary activation.
 *
 * @example
 * ffn(relu, tf.ones([2, 3]), { up: tf.ones([3, 4]), down: tf.ones([4, 3]) }).shape // [2, 3]
 */
export function ffn<A extends Activation<"unary">>(
  activation: A,
  x: tf.Tensor,
  weights: FfnTensors,
  parameters?: Parameters<A, Parameter>,
): tf.Tensor {
  checkUngated(activation);
  return block(forms.ungated, activation, x, weights, checkBlockParameters(activation, parameters, weights));
}

function checkBlockParameters(
  activation: Activation,
  parameters: object | undefined,
  weights: { readonly down?: tf.Tensor },
): Values {
  return checkParameters(activation, parameters, [weights.down?.shape[0] ?? 0]);
}

function block(
  form: BlockForm,
  activation: Activation,
  x: tf.Tensor,
  weights: { readonly down?: tf.Tensor },
  parameters: Values,
  layout?: PackedLayout,
): tf.Tensor {
  const [dModel, dFf] = [x.shape.at(-1) ?? 0, weights.down?.shape[0] ?? 0];
  const checked = checkTensors(weights, weightShapes(form, dModel, dFf), `this ${form.name} block`);
  return blockChecked(form, activation, x, checked, parameters, layout);
}

/** A block of what has been checked already. */
export function blockChecked(
  form: BlockForm,
  activation: Activation,
  x: tf.Tensor,
  weights: Tensors,
  parameters: Values,
  layout?: PackedLayout,
): tf.Tensor {
  const operation = { activation, parameters, ...(layout === undefined ? {} : { layout }) };
  return overRows(x, (rows) =>
    fusedOr("SwigluFfn", { x: rows, ...weights }, operation, (tensors, values, free) => {
      const inner = hidden(form, free, tensors, values, layout);
      return project(inner, tensors.down as tf.Tensor, tensors.downBias);
    }),
  );
}

/** The activation of the products before it: a block without its last projection. */
function hidden(
  form: BlockForm,
  activation: Activation,
  tensors: Tensors,
  parameters: Values,
  layout?: PackedLayout,
): tf.Tensor {
  const products: Record<string, tf.Tensor> = { x: tensors.x as tf.Tensor };
  for (const { weight, from } of form.products)
    products[weight] = project(
      products[from] as tf.Tensor,
      tensors[weight] as tf.Tensor,
      tensors[`${weight}Bias`],
    );
  const of = (name: string): tf.Tensor => products[name] as tf.Tensor;
  const [first] = form.inputs as readonly [InputSource];
  if (first.half !== undefined)
    return activatePackedChecked(activation, of(first.product), layout as PackedLayout, 1, parameters);
  const inputs = form.inputs.map(({ product }, i) => [activation.inputs[i], of(product)]);
  return activateChecked(activation, Object.fromEntries(inputs), parameters);
}

/** Applies a function of rows to the last axis of a tensor of any rank. */
export function overRows(x: tf.Tensor, f: (rows: tf.Tensor) => tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [outer, width] = [x.shape.slice(0, -1), x.shape.at(-1) as number];
    const y = f(tf.reshape(x, [sizeOf(outer), width]));
    return tf.reshape(y, [...outer, y.shape[1] as number]);
  });
}

/** Checks that every weight is there, except biases, and has its shape; gives them in the order of the shapes. */
const checkTensors = (
  weights: object,
  shapes: Readonly<Record<string, readonly number[]>>,
  owner: string,
): Tensors =>
  checkWeights(
    weights as Readonly<Record<string, tf.Tensor | undefined>>,
    shapes,
    owner,
    (tensor, name, expected) => {
      if (String(tensor.shape) !== String(expected))
        throw new RangeError(`${name} has shape [${tensor.shape}], expected [${expected}]`);
    },
    owner,
  );
