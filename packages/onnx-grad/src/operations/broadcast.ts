// Reshape, and the pair that broadcasting rests on: expand repeats, sum adds up; each is the other's gradient.
import { broadcastShapes, checkSameSize, normaliseAxes, sameShape } from "../shapes.js";
import { apply, constant, type Shape, type Tensor } from "../tensor.js";

/** The same elements in another shape; one size may be -1 (whatever is left). Gradient: reshape back. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const target = shape.map((size) => (size === -1 ? x.size / known : size));
  checkSameSize(x.shape, target, "reshape");
  if (sameShape(x.shape, target)) return x;
  return apply({
    op: "Reshape",
    inputs: [x, constant(target, "int64")],
    shape: target,
    backward: (dy) => [reshape(dy, x.shape)],
  });
}

/** Repeats a tensor along axes of size 1, or missing on the left, up to `shape`. Gradient: the sum over them. */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes(x.shape, shape, "expand"), shape)) {
    throw new Error(`expand: [${x.shape}] has larger axes than the target [${shape}]`);
  }
  return apply({
    op: "Expand",
    inputs: [x, constant(shape, "int64")],
    shape,
    backward: (dy) => [sumTo(dy, x.shape)],
  });
}

/**
 * Sum over `axes` (default: all); with `keep` they stay with size 1. Gradient: expand.
 * Example: `sum(x, -1)`, `sum(x, [0, 1], true)`.
 */
export function sum(x: Tensor, axes?: number | readonly number[], keep = false): Tensor {
  const over = normaliseAxes(axes, x.rank, "sum");
  if (over.length === 0) return x;
  const kept = x.shape.map((size, axis) => (over.includes(axis) ? 1 : size));
  return apply({
    op: "ReduceSum",
    inputs: [x, constant(over, "int64")],
    shape: keep ? kept : x.shape.filter((_, axis) => !over.includes(axis)),
    attributes: { keepdims: { int: keep ? 1 : 0 } },
    backward: (dy) => [expand(reshape(dy, kept), x.shape)],
  });
}

/** Sums a tensor over everything that broadcasting from `shape` to its own shape repeated. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.rank - shape.length;
  const repeated = x.shape.flatMap((size, axis) =>
    axis < lead || shape[axis - lead] !== size ? [axis] : [],
  );
  return reshape(sum(x, repeated), shape);
}
