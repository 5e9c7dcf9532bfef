// Reading and adding by index: the two nodes, each of which is the gradient of the other, and guards that keep indices in range.

import { isTraceable } from "../graph/indices.js";
import { apply, constant, type Tensor } from "../graph/tensor.js";
import { checkTensors } from "../graph/tensor-checks.js";
import type { DType, Shape } from "../graph/types.js";
import { cast, greater, mul } from "./arithmetic.js";
import { expand, reshape } from "./broadcast.js";
import { slice } from "./movement.js";

/** gatherElements for `by`, from indices that are guarded. */
export function takeAt(x: Tensor, indices: Tensor, along: number, by: string): Tensor {
  return apply({
    op: "GatherElements",
    inputs: [x, indices],
    shape: indices.shape,
    attributes: { axis: { int: along } },
    reads: { input: 1, size: x.shape[along]!, by },
    backward: (dy) => [addAt(zeros(x.shape, x.dtype, indices), indices, dy, along, by)],
  });
}

/** scatterAdd for `by`, with indices that are guarded. */
export function addAt(base: Tensor, indices: Tensor, updates: Tensor, along: number, by: string): Tensor {
  return apply({
    op: "ScatterElements",
    inputs: [base, indices, updates],
    shape: base.shape,
    attributes: { axis: { int: along }, reduction: { string: "add" } },
    reads: { input: 1, size: base.shape[along]!, by },
    backward: (dy) => [dy, undefined, takeAt(dy, indices, along, by)],
  });
}

/**
 * Zeros that exist only while the model runs: an index times zero, expanded. From a constant, ONNX Runtime would make a full-size
 * array inside the loaded model.
 */
export function zeros(shape: Shape, dtype: DType, indices: Tensor): Tensor {
  const any = reshape(slice(reshape(indices, [-1]), 0, 1, 0), []);
  return expand(cast(mul(any, 0), dtype), shape);
}

/**
 * Indices of which none counts from the end of the axis. Indices that come from inputs and constants are checked before a run. In
 * those that the graph computes, the graph replaces a negative index by the size of the axis, which ONNX Runtime refuses like
 * every index beyond the end.
 */
export function guarded(indices: Tensor, size: number): Tensor {
  if (isTraceable(indices, size)) return indices;
  return apply({
    op: "Where",
    inputs: [greater(0, indices), constant(size, indices.dtype), indices],
    shape: indices.shape,
    dtype: indices.dtype,
    guards: true,
  });
}

export function checkIndices(where: string, name: string, indices: Tensor): void {
  checkTensors(where, { [name]: indices });
  if (indices.dtype !== "int32" && indices.dtype !== "int64") {
    throw new TypeError(`${where}: ${name} are ${indices.dtype}; they must be int32 or int64`);
  }
}
