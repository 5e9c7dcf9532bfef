// An expression as one operation of TensorFlow.js, with its exact derivatives as gradients, to any order.
// Each derivative is an expression again, so the gradient of a gradient is made the same way.
import * as tf from "@tensorflow/tfjs";
import { differentiate } from "../expression/differentiate.js";
import { type Expr, mul } from "../expression/expr.js";
import { computeAll, lowerAll } from "./emit.js";
import { sum, type Values, withBackward, zerosFrom } from "./seam.js";

/** Everything that is derived from an expression once and then kept. */
interface Derived {
  readonly lowered: readonly Expr[];
  /** The variable's name for the result's gradient in `slopes`. */
  readonly dy: string;
  /** dy times the derivative in one variable, by the variable's name. */
  readonly slopes: Map<string, Expr>;
  /** The lowered slopes in several variables, by their joined names. */
  readonly backwards: Map<string, readonly Expr[]>;
}

const derivedFrom = new WeakMap<Expr, Derived>();

function derivedOf(expression: Expr, taken: Values): Derived {
  const known = derivedFrom.get(expression);
  if (known !== undefined) return known;
  let dy = "dy";
  while (Object.hasOwn(taken, dy)) dy += "'";
  const derived = { lowered: lowerAll([expression]), dy, slopes: new Map(), backwards: new Map() };
  derivedFrom.set(expression, derived);
  return derived;
}

/** The entry under a key; a missing one is made first. */
function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

/**
 * The value of an expression at tensors that broadcast. Gradients flow into every tensor, summed over the axes that it was broadcast
 * along. Numbers are constants.
 */
export function elementwise(expression: Expr, variables: Values): tf.Tensor {
  const names = Object.keys(variables).filter((name) => typeof variables[name] !== "number");
  const tensors = names.map((name) => variables[name] as tf.Tensor);
  // TensorFlow.js's `where` cannot broadcast empty tensors.
  if (tensors.some(({ size }) => size === 0)) return zerosFrom(tensors, broadcastShape(tensors));
  const derived = derivedOf(expression, variables);
  const slope = (name: string): Expr =>
    entry(derived.slopes, name, () => mul(derived.dy, differentiate(expression, name)));
  const named = (values: readonly tf.Tensor[]): Values => ({
    ...variables,
    ...Object.fromEntries(names.map((name, i) => [name, values[i] as tf.Tensor])),
  });
  const shaped = (slope: tf.Tensor, i: number): tf.Tensor => sumTo(slope, (tensors[i] as tf.Tensor).shape);
  return withBackward(tensors, {
    forward: (values) => ({ y: computeAll(derived.lowered, named(values))[0] as tf.Tensor }),
    backward: (dy, values) =>
      tf.tidy(() => {
        const lowered = entry(derived.backwards, names.join(), () => lowerAll(names.map(slope)));
        return computeAll(lowered, { ...named(values), [derived.dy]: dy }).map(shaped);
      }),
    differentiableBackward: (dy, values) =>
      names.map((name, i) => shaped(elementwise(slope(name), { ...named(values), [derived.dy]: dy }), i)),
  });
}

/** The shape of results of tensors that broadcast. */
const broadcastShape = (tensors: readonly tf.Tensor[]): readonly number[] =>
  tensors.reduce<number[]>(
    (shape, tensor) => tf.broadcast_util.assertAndGetBroadcastShape(shape, tensor.shape),
    [],
  );

/** Sums a tensor over the axes along which `shape` was broadcast to its own. */
function sumTo(tensor: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const missing = tensor.rank - shape.length;
  const axes = tensor.shape.flatMap((size, axis) => ((shape[axis - missing] ?? 1) < size ? [axis] : []));
  return tf.reshape(axes.length > 0 ? sum(tensor, axes) : tensor, [...shape]);
}
