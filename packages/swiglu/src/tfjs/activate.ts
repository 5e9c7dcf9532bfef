// Activations on tensors, separate or packed, differentiable in their inputs and in parameters that are tensors.
// Fused where the current backend has kernels for them, composed of TensorFlow.js's operations elsewhere.
import * as tf from "@tensorflow/tfjs";
import type { Activation, Inputs, Parameters } from "../catalogue/activation.js";
import { expectedNumber, isParameterNumber } from "../catalogue/limits.js";
import { listing, own, rejectUnknownKeys, shown } from "../errors.js";
import { type PackedLayout, packedViews } from "../layout.js";
import { resolveParameters } from "../scalar.js";
import { elementwise } from "./elementwise.js";
import { fusedOr, type Tensors, type Values } from "./seam.js";

/** A parameter's value: a number, or a tensor with one value for all or one for each channel of the last axis. */
export type Parameter = number | tf.Tensor;

/**
 * `y = activation(inputs)`, elementwise; gradients of any order flow into the inputs and into parameters that are tensors.
 * Inputs are tensors of one shape: `{ x }`, or `{ gate, up }`. A parameter is a number, or a tensor of shape [], [1] or
 * [channels], the size of the last axis; those not given take their defaults. Throws a TypeError or RangeError that names
 * the argument.
 *
 * @example
 * activate(swiglu, { gate: tf.tensor1d([1, 2]), up: tf.tensor1d([3, 4]) }, { beta: 1.5 }).shape // [2]
 */
export function activate<A extends Activation>(
  activation: A,
  inputs: Inputs<A, tf.Tensor>,
  parameters?: Parameters<A, Parameter>,
): tf.Tensor {
  const { name } = activation;
  rejectUnknownKeys(inputs, activation.inputs, "input", name);
  const given = inputs as Readonly<Record<string, unknown>>;
  const ordered: Record<string, tf.Tensor> = {};
  for (const input of activation.inputs) ordered[input] = checkTensor(own(given, input), input);
  const [first, second = first] = Object.values(ordered) as [tf.Tensor, tf.Tensor?];
  if (String(first.shape) !== String(second.shape))
    throw new RangeError(`gate has shape [${first.shape}], up [${second.shape}]: they must be equal`);
  return activateChecked(activation, ordered, checkParameters(activation, parameters, first.shape));
}

/** Where gate and up lie in a packed tensor. */
export interface PackedOptions {
  readonly layout: PackedLayout;
  /** The axis along which they lie; negative ones count from the end. Default -1. */
  readonly axis?: number;
}

/**
 * The same for a gated activation whose gate and up are packed in one tensor; the result's size along the axis is half of
 * the tensor's. Throws as `activate` does, and a RangeError for an unknown layout or an odd size.
 *
 * @example
 * const packed = tf.tensor2d([[1, 2, 3, 4]]);
 * activatePacked(swiglu, packed, { layout: "gate-first" }).shape // [1, 2]
 */
export function activatePacked<A extends Activation<"gated">>(
  activation: A,
  packed: tf.Tensor,
  options: PackedOptions,
  parameters?: Parameters<A, Parameter>,
): tf.Tensor {
  if (activation.kind !== "gated")
    throw new TypeError(`${String(activation.name)} is unary and takes x; packed is for gated activations`);
  const { axis = -1, layout } = options;
  const tensor = checkTensor(packed, "packed");
  const { shape } = packedViews(tensor.shape, { axis, layout });
  const checked = checkParameters(activation, parameters, shape);
  return activatePackedChecked(activation, tensor, layout, axis, checked);
}

/** `activate` of what has been checked already: inputs in order, complete parameters. */
export function activateChecked(activation: Activation, inputs: Tensors, parameters: Values): tf.Tensor {
  return tf.tidy(() =>
    fusedOr("SwigluActivation", inputs, { activation, parameters }, (tensors, values, { expression }) =>
      elementwise(expression, { ...tensors, ...values }),
    ),
  );
}

/** `activatePacked` of what has been checked already. */
export function activatePackedChecked(
  activation: Activation,
  packed: tf.Tensor,
  layout: PackedLayout,
  axis: number,
  parameters: Values,
): tf.Tensor {
  const operation = { activation, parameters, layout, axis: axis < 0 ? packed.rank + axis : axis };
  return tf.tidy(() =>
    fusedOr("SwigluActivation", { packed }, operation, (tensors, values, { expression }) => {
      const halves = split(tensors.packed as tf.Tensor, layout, operation.axis);
      return elementwise(expression, { ...halves, ...values });
    }),
  );
}

/** Gate and up of a packed tensor. */
function split(packed: tf.Tensor, layout: PackedLayout, axis: number): Tensors {
  const half = (packed.shape[axis] as number) / 2;
  const interleaved = layout === "interleaved";
  const pair = interleaved ? [half, 2] : [2, half];
  const shape = packed.shape.flatMap((size, i) => (i === axis ? pair : [size]));
  const [first, second] = tf.unstack(tf.reshape(packed, shape), interleaved ? axis + 1 : axis);
  const [gate, up] = layout === "gate-second" ? [second, first] : [first, second];
  return { gate: gate as tf.Tensor, up: up as tf.Tensor };
}

function checkTensor(value: unknown, name: string): tf.Tensor {
  if (!(value instanceof tf.Tensor))
    throw new TypeError(`${name} is ${value === undefined ? "missing" : typeof value}: expected a tf.Tensor`);
  return value;
}

/** All parameters: numbers as they are, tensors of a shape that fits results of the given shape. */
export function checkParameters(
  activation: Activation,
  given: object = {},
  shape: readonly (number | null)[],
): Values {
  const channels = shape.at(-1) ?? 1;
  const values = resolveParameters<Parameter>(activation, given, (value, name) => {
    if (isParameterNumber(activation, name, value)) return value;
    if (!(value instanceof tf.Tensor))
      throw new TypeError(
        `parameter ${name} is ${shown(value)}, expected ${expectedNumber(activation, name)} or a tf.Tensor`,
      );
    if (value.rank > 1 || (value.size !== 1 && value.size !== channels))
      throw new RangeError(
        `parameter ${name} has shape [${value.shape}], expected ${listing(["[]", "[1]", `[${channels}]`])}: one value, or one for each channel of the last axis`,
      );
    return value;
  });
  return Object.fromEntries(
    Object.keys(activation.parameters).map((name, i) => [name, values[i] as Parameter]),
  );
}
