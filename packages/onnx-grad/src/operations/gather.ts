// Reading by index, and its gradient: adding by index. ScatterElements adds exactly; ScatterND would lose updates
// when two threads hit one row.
import { normaliseAxis, sameShape, withSize } from "../shapes.js";
import { apply, type DType, type Shape, type Tensor } from "../tensor.js";
import { cast, mul } from "./arithmetic.js";
import { expand, reshape } from "./broadcast.js";
import { slice } from "./movement.js";

/**
 * Rows of a table: table [rows, width], indices [...] (int32 or int64) -> [..., width].
 * Gradient: every row receives the sum over the places that read it.
 */
export function embedding(table: Tensor, indices: Tensor): Tensor {
  checkIndices("embedding", indices);
  if (table.rank !== 2) throw new Error(`embedding: the table is [${table.shape}]; expected [rows, width]`);
  const width = table.shape[1]!;
  return apply({
    op: "Gather",
    inputs: [table, indices],
    shape: [...indices.shape, width],
    attributes: { axis: { int: 0 } },
    backward: (dy) => {
      const rows = expand(reshape(indices, [-1, 1]), [indices.size, width]);
      return [scatterAdd(zeros(table.shape, table.dtype, indices), rows, reshape(dy, [-1, width]), 0)];
    },
  });
}

/**
 * One element per index: along `axis`, the element of x that the index at the same place names; the result has the
 * shape of the indices. Gradient: scatterAdd.
 * Example: `gatherElements(logProbabilities, reshape(labels, [n, 1]), 1)`.
 */
export function gatherElements(x: Tensor, indices: Tensor, axis: number): Tensor {
  const along = checkElements("gatherElements", x, indices, axis);
  return apply({
    op: "GatherElements",
    inputs: [x, indices],
    shape: indices.shape,
    attributes: { axis: { int: along } },
    backward: (dy) => [scatterAdd(zeros(x.shape, x.dtype, indices), indices, dy, along)],
  });
}

/** `base` plus every update at the place its index names along `axis`. Gradients: itself, and gatherElements. */
export function scatterAdd(base: Tensor, indices: Tensor, updates: Tensor, axis: number): Tensor {
  const along = checkElements("scatterAdd", base, indices, axis);
  if (!sameShape(indices.shape, updates.shape)) {
    throw new Error(
      `scatterAdd: indices [${indices.shape}] and updates [${updates.shape}] must have the same shape`,
    );
  }
  return apply({
    op: "ScatterElements",
    inputs: [base, indices, updates],
    shape: base.shape,
    attributes: { axis: { int: along }, reduction: { string: "add" } },
    backward: (dy) => [dy, undefined, gatherElements(dy, indices, along)],
  });
}

/**
 * Zeros that exist only while the model runs: an index times zero, expanded. A constant would be folded by ONNX
 * Runtime into a full-size array inside the loaded model.
 */
function zeros(shape: Shape, dtype: DType, indices: Tensor): Tensor {
  const any = reshape(slice(reshape(indices, [-1]), 0, 1, 0), []);
  return expand(cast(mul(any, 0), dtype), shape);
}

function checkIndices(where: string, indices: Tensor): void {
  if (indices.dtype !== "int32" && indices.dtype !== "int64") {
    throw new Error(`${where}: indices are ${indices.dtype}; they must be int32 or int64`);
  }
}

function checkElements(where: string, x: Tensor, indices: Tensor, axis: number): number {
  checkIndices(where, indices);
  const along = normaliseAxis(axis, x.rank, where);
  if (indices.rank !== x.rank || !sameShape(withSize(indices.shape, along, 0), withSize(x.shape, along, 0))) {
    throw new Error(
      `${where}: indices [${indices.shape}] must match [${x.shape}] in every axis but ${along}`,
    );
  }
  return along;
}
