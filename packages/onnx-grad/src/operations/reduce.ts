// Reductions beyond the plain sum: mean and maximum.

import { normaliseAxes } from "../graph/shapes.js";
import { apply, integers, type Tensor } from "../graph/tensor.js";
import { checkFloats, checkNumeric } from "../graph/tensor-checks.js";
import { cast, div, equal, mul } from "./arithmetic.js";
import { expand, reshape, sum } from "./broadcast.js";

/** Mean over `axes` (default: all); with `keep` they stay with size 1. Gradient: expand, divided by the count. */
export function mean(x: Tensor, axes?: number | readonly number[], keep = false): Tensor {
  checkFloats("mean", { x });
  const over = normaliseAxes(axes, x.rank, "mean");
  if (over.length === 0) return x;
  const kept = x.shape.map((size, axis) => (over.includes(axis) ? 1 : size));
  const count = over.reduce((product, axis) => product * x.shape[axis]!, 1);
  return apply({
    op: "ReduceMean",
    inputs: [x, integers(over)],
    shape: keep ? kept : x.shape.filter((_, axis) => !over.includes(axis)),
    attributes: { keepdims: { int: keep ? 1 : 0 } },
    backward: (dy) => [expand(reshape(mul(dy, 1 / count), kept), x.shape)],
  });
}

/** Largest element over `axes` (default: all). Equal largest elements share the gradient evenly. */
export function max(x: Tensor, axes?: number | readonly number[], keep = false): Tensor {
  checkNumeric("max", x);
  const over = normaliseAxes(axes, x.rank, "max");
  if (over.length === 0) return x;
  const kept = x.shape.map((size, axis) => (over.includes(axis) ? 1 : size));
  return apply({
    op: "ReduceMax",
    inputs: [x, integers(over)],
    shape: keep ? kept : x.shape.filter((_, axis) => !over.includes(axis)),
    attributes: { keepdims: { int: keep ? 1 : 0 } },
    backward: (dy, y) => {
      const largest = cast(equal(x, reshape(y, kept)), x.dtype);
      return [mul(reshape(dy, kept), div(largest, sum(largest, over, true)))];
    },
  });
}
