// The seam between composed operations and fused kernels. It is TensorFlow.js's own kernel registry, which is per backend: where a
// pair of kernels is registered under the names below, the pair is used. Without any, composed operations compute everything.
//
//     activate, gatedFfn, layers  ->  fusedOr(name)  --registered-->  kernel `name`, kernel `nameBackward`
//                                              `---- otherwise ---->  composed TensorFlow.js operations
import * as tf from "@tensorflow/tfjs";
import { type Activation, definitionText } from "../catalogue/activation.js";
import { dropLimits } from "../catalogue/limits.js";
import type { PackedLayout } from "../layout.js";

/**
 * The kernels that may be registered with `tf.registerKernel`, each together with one named `${name}Backward`; no
 * gradients need registering. All tensors are float32. Inputs by name, in this order:
 *
 * - `SwigluActivation`: `x`, or `gate` and `up` of one shape, or `packed`. Result: `y`, of the unpacked shape.
 * - `SwigluGatedDense`: `x` [rows, in], `gate` and `up` [in, units], and, where present, `gateBias` and `upBias` [units].
 *   Result: `y` [rows, units].
 * - `SwigluFfn`: `x` [rows, dModel], and the weights of a feed-forward block (names and shapes as `weightShapes` in
 *   block/forms.ts has them; biases where present). Result: `y` [rows, dModel].
 *
 * then those parameters of the activation that are tensors, as `parameter.beta` and so on, of shape [], [1] or [channels]
 * (the size of the last axis of y, for an FFN dFf). Those that are numbers, which nobody differentiates, are attributes.
 * No kernel is asked for an empty result.
 *
 * A forward kernel returns `y`, or `[y, ...residuals]`, where residuals are whatever its backward wants to be given again.
 * A backward kernel takes the forward's inputs, `dy`, and those residuals as `residual.0`, `residual.1` ...; it returns one
 * gradient for each of the forward's inputs, in their order and of their shapes. It may run more than once.
 */
export type KernelName = "SwigluActivation" | "SwigluGatedDense" | "SwigluFfn";

/** What a kernel gets beside its tensors. */
export interface KernelAttributes {
  /** The activation, its `definitionText`: equal activations have equal text. */
  readonly activation: string;
  /** The parameters that are numbers. */
  readonly parameters: Readonly<Record<string, number>>;
  /** With `packed`: where gate and up lie, and along which axis (0 or greater). */
  readonly layout?: PackedLayout;
  readonly axis?: number;
  /** Whether a backward may follow. Where none can, the kernel need not return residuals. */
  readonly training: boolean;
}

/** Tensors by name. */
export type Tensors = Readonly<Record<string, tf.Tensor>>;
/** Numbers and tensors by name. */
export type Values = Readonly<Record<string, tf.Tensor | number>>;

/** One use of an activation; kernels are chosen and compiled by it. */
export interface Operation {
  readonly activation: Activation;
  /** All parameters of the activation. */
  readonly parameters: Values;
  readonly layout?: PackedLayout;
  readonly axis?: number;
}

/** Whether operations are being recorded, so that what runs now may be differentiated. */
const recording = (): boolean => tf.engine().state.gradientDepth > 0;

const prefix = "parameter.";

/** A tensor as float32, the only type that kernels read. */
const float32 = (tensor: tf.Tensor): tf.Tensor =>
  tensor.dtype === "float32" ? tensor : tf.cast(tensor, "float32");

/**
 * Runs the registered pair of kernels where the current backend has one, else `composed`, which computes the same in
 * differentiable operations from the same tensors, for the activation that it is given: without limits that are Infinity.
 * Gradients of gradients always come from `composed`. To be called in a tidy.
 */
export function fusedOr(
  kernel: KernelName,
  inputs: Tensors,
  { activation: given, parameters: all, ...rest }: Operation,
  composed: (inputs: Tensors, parameters: Values, activation: Activation) => tf.Tensor,
): tf.Tensor {
  const { activation, parameters } = dropLimits<tf.Tensor>(given, all);
  const tensors: Record<string, tf.Tensor> = {};
  const values: Record<string, tf.Tensor | number> = {};
  for (const [name, tensor] of Object.entries(inputs)) tensors[name] = float32(tensor);
  for (const [name, value] of Object.entries(parameters))
    values[name] = typeof value === "number" ? value : float32(value);

  const backward = `${kernel}Backward`;
  const registered = (name: string): boolean => tf.getKernel(name, tf.getBackend()) !== undefined;
  const empty = Object.values(tensors).some(({ size }) => size === 0);
  if (empty || !registered(kernel) || !registered(backward)) return composed(tensors, values, activation);

  const fixed: Record<string, number> = {};
  const taken: Record<string, tf.Tensor> = { ...tensors };
  for (const [name, value] of Object.entries(values))
    if (typeof value === "number") fixed[name] = value;
    else taken[prefix + name] = value;
  const names = Object.keys(taken);
  const named = (tensors: readonly tf.Tensor[]): Tensors =>
    Object.fromEntries(tensors.map((tensor, i) => [names[i] as string, tensor]));
  const attributes = {
    ...rest,
    activation: definitionText(activation),
    parameters: fixed,
    training: recording(),
  };

  return withBackward(Object.values(taken), {
    forward: (tensors) => {
      const results: tf.Tensor | tf.Tensor[] = tf.engine().runKernel(kernel, named(tensors), attributes);
      const [y, ...residuals] = Array.isArray(results) ? results : [results];
      return { y: y as tf.Tensor, residuals };
    },
    backward: (dy, tensors, residuals) => {
      const kept = Object.fromEntries(residuals.map((tensor, i) => [`residual.${i}`, tensor]));
      return tf.engine().runKernel(backward, { ...named(tensors), dy, ...kept }, attributes);
    },
    differentiableBackward: (dy, tensors) => {
      const again = (...values: tf.Tensor[]): tf.Tensor => {
        const given: Record<string, tf.Tensor> = {};
        const inParameters: Record<string, tf.Tensor | number> = { ...fixed };
        for (const [name, value] of Object.entries(named(values)))
          if (name.startsWith(prefix)) inParameters[name.slice(prefix.length)] = value;
          else given[name] = value;
        return composed(given, inParameters, activation);
      };
      return tf.grads(again)([...tensors], dy);
    },
  });
}

/** Zeros of a shape, as a function of tensors: its gradients of any order in these tensors are zeros too. */
export function zerosFrom(tensors: readonly tf.Tensor[], shape: readonly number[]): tf.Tensor {
  return withBackward(tensors, {
    forward: () => ({ y: tf.zeros([...shape]) }),
    backward: (_, again) => again.map((tensor) => tf.zerosLike(tensor)),
    differentiableBackward: (dy, again) => again.map(({ shape }) => zerosFrom([dy, ...again], shape)),
  });
}

/** Sums over axes. TensorFlow.js's wasm backend leaves empty sums uninitialised; here they are 0. */
export function sum(tensor: tf.Tensor, axes: readonly number[]): tf.Tensor {
  if (tensor.size > 0) return tf.sum(tensor, [...axes]);
  return zerosFrom(
    [tensor],
    tensor.shape.filter((_, axis) => !axes.includes(axis)),
  );
}

/** An operation together with its backward. */
interface Differentiable {
  forward(inputs: readonly tf.Tensor[]): {
    readonly y: tf.Tensor;
    readonly residuals?: readonly tf.Tensor[];
  };
  /** The gradients of all inputs at once. */
  backward(dy: tf.Tensor, inputs: readonly tf.Tensor[], residuals: readonly tf.Tensor[]): tf.Tensor[];
  /** The same in operations that TensorFlow.js can differentiate again. Used only for gradients of gradients. */
  differentiableBackward(dy: tf.Tensor, inputs: readonly tf.Tensor[]): tf.Tensor[];
}

/** Applies an operation that has its own backward, so that it differentiates to any order. */
export function withBackward(inputs: readonly tf.Tensor[], operation: Differentiable): tf.Tensor {
  return tf.customGrad((...given) => {
    const save = given.at(-1) as tf.GradSaveFunc;
    const tensors = given.slice(0, -1) as tf.Tensor[];
    const { y, residuals = [] } = operation.forward(tensors);
    save([...tensors, ...residuals]);
    return {
      value: y,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const again = saved.slice(0, tensors.length);
        return recording()
          ? operation.differentiableBackward(dy, again)
          : operation.backward(dy, again, saved.slice(tensors.length));
      },
    };
  })(...inputs);
}
