// Reading by index, and its gradient: adding by index. ScatterElements adds exactly; ScatterND would lose updates
// when two threads hit one row.

import { normaliseAxis, sameShape, withSize } from "../graph/shapes.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { checkFloats, checkTensors } from "../graph/tensor-checks.js";
import { expand, reshape } from "./broadcast.js";
import { addAt, checkIndices, guarded, takeAt, zeros } from "./indexed.js";

/**
 * Rows of a table: table [rows, width], indices [...] (int32 or int64, 0 to rows - 1) -> [..., width].
 * Gradient: every row receives the sum over the places that read it.
 */
export function embedding(table: Tensor, indices: Tensor): Tensor {
  checkTensors("embedding", { table });
  checkIndices("embedding", "indices", indices);
  if (table.rank !== 2)
    throw new RangeError(`embedding: the table is [${table.shape}]; expected [rows, width]`);
  const [size, width] = [table.shape[0]!, table.shape[1]!];
  const known = guarded(indices, size);
  return apply({
    op: "Gather",
    inputs: [table, known],
    shape: [...indices.shape, width],
    reads: { input: 1, size, by: "embedding" },
    attributes: { axis: { int: 0 } },
    backward: (dy) => {
      const rows = expand(reshape(known, [-1, 1]), [indices.size, width]);
      const base = zeros(table.shape, table.dtype, indices);
      return [addAt(base, rows, reshape(dy, [-1, width]), 0, "embedding")];
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
  return takeAt(x, guarded(indices, x.shape[along]!), along, "gatherElements");
}

/** `base` plus every update at the place its index names along `axis`. Gradients: itself, and gatherElements. */
export function scatterAdd(base: Tensor, indices: Tensor, updates: Tensor, axis: number): Tensor {
  const along = checkElements("scatterAdd", base, indices, axis);
  checkFloats("scatterAdd", { base, updates });
  if (base.dtype !== updates.dtype)
    throw new TypeError(
      `scatterAdd: base is ${base.dtype} and updates ${updates.dtype}; convert one with cast`,
    );
  if (!sameShape(indices.shape, updates.shape)) {
    throw new RangeError(
      `scatterAdd: indices [${indices.shape}] and updates [${updates.shape}] must have the same shape`,
    );
  }
  return addAt(base, guarded(indices, base.shape[along]!), updates, along, "scatterAdd");
}

function checkElements(where: string, x: Tensor, indices: Tensor, axis: number): number {
  checkTensors(where, { [where === "scatterAdd" ? "base" : "x"]: x });
  checkIndices(where, "indices", indices);
  const along = normaliseAxis(axis, x.rank, where);
  if (indices.rank !== x.rank || !sameShape(withSize(indices.shape, along, 0), withSize(x.shape, along, 0))) {
    throw new RangeError(
      `${where}: indices [${indices.shape}] must match [${x.shape}] in every axis but ${along}`,
    );
  }
  return along;
}
