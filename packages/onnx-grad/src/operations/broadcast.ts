// Reshape, and the pair that broadcasting rests on: expand repeats, sum adds up; each is the other's gradient.
import { checkList, checkShape } from "../graph/checks.js";
import {
  broadcastShapes,
  checkSameSize,
  coordinatesOf,
  normaliseAxes,
  positionOf,
  sameShape,
} from "../graph/shapes.js";
import { apply, integers, type Tensor } from "../graph/tensor.js";
import { checkNumeric, checkTensors } from "../graph/tensor-checks.js";
import type { Shape } from "../graph/types.js";

/** The same elements in another shape; one size may be -1 (whatever is left). Gradient: reshape back. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkTensors("reshape", { x });
  checkList("reshape", "the shape", shape);
  const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const left = shape.filter((size) => size === -1).length;
  if (left > 1 || (left === 1 && x.size % known !== 0)) {
    throw new RangeError(
      left > 1
        ? `reshape: [${shape}] has ${left} sizes of -1; one of them can be left open`
        : `reshape: [${x.shape}] holds ${x.size} elements, which the ${known} of [${shape}] do not divide`,
    );
  }
  const target = shape.map((size) => (size === -1 ? x.size / known : size));
  checkShape("reshape", target);
  checkSameSize(x.shape, target, "reshape");
  if (sameShape(x.shape, target)) return x;
  return apply({
    op: "Reshape",
    inputs: [x, integers(target)],
    shape: target,
    backward: (dy) => [reshape(dy, x.shape)],
    origin: (position) => [0, position],
  });
}

/** Repeats a tensor along axes of size 1, or missing on the left, up to `shape`. Gradient: the sum over them. */
export function expand(x: Tensor, shape: Shape): Tensor {
  checkTensors("expand", { x });
  checkShape("expand", shape);
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes(x.shape, shape, "expand"), shape)) {
    throw new RangeError(`expand: [${x.shape}] has larger axes than the target [${shape}]`);
  }
  return apply({
    op: "Expand",
    inputs: [x, integers(shape)],
    shape,
    backward: (dy) => [sumTo(dy, x.shape)],
    origin: (position) => {
      const coordinates = coordinatesOf(position, shape).slice(shape.length - x.rank);
      return [
        0,
        positionOf(
          coordinates.map((at, axis) => Math.min(at, x.shape[axis]! - 1)),
          x.shape,
        ),
      ];
    },
  });
}

/**
 * Sum over `axes` (default: all); with `keep` they stay with size 1. Gradient: expand.
 * Example: `sum(x, -1)`, `sum(x, [0, 1], true)`.
 */
export function sum(x: Tensor, axes?: number | readonly number[], keep = false): Tensor {
  checkNumeric("sum", x);
  const over = normaliseAxes(axes, x.rank, "sum");
  if (over.length === 0) return x;
  const kept = x.shape.map((size, axis) => (over.includes(axis) ? 1 : size));
  return apply({
    op: "ReduceSum",
    inputs: [x, integers(over)],
    shape: keep ? kept : x.shape.filter((_, axis) => !over.includes(axis)),
    attributes: { keepdims: { int: keep ? 1 : 0 } },
    backward: (dy) => [expand(reshape(dy, kept), x.shape)],
  });
}

/** Sums a tensor over everything that broadcasting from `shape` to its own shape repeated. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  checkNumeric("sumTo", x);
  checkShape("sumTo", shape);
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes(x.shape, shape, "sumTo"), x.shape))
    throw new RangeError(`sumTo: [${x.shape}] is not what [${shape}] broadcasts to`);
  const lead = x.rank - shape.length;
  const repeated = x.shape.flatMap((size, axis) =>
    axis < lead || shape[axis - lead] !== size ? [axis] : [],
  );
  return reshape(sum(x, repeated), shape);
}
