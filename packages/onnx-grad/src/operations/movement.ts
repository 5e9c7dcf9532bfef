// Moving elements: transpose, concat and split, slice and pad. Each pair is the other's gradient.
import { normaliseAxis, sameShape, withSize } from "../shapes.js";
import { apply, constant, node, one, type Shape, type Tensor } from "../tensor.js";
import { expand } from "./broadcast.js";

/**
 * The axes in another order (default: reversed). Gradient: the inverse order.
 * Example: `transpose(x, [0, 2, 1, 3])`.
 */
export function transpose(x: Tensor, order?: readonly number[]): Tensor {
  const perm = order ?? x.shape.map((_, axis) => x.rank - 1 - axis);
  if (
    !sameShape(
      perm.toSorted((a, b) => a - b),
      x.shape.map((_, axis) => axis),
    )
  ) {
    throw new Error(
      `transpose: order [${perm}] must name each axis of [${x.shape}] once, from 0 to ${x.rank - 1}`,
    );
  }
  return apply({
    op: "Transpose",
    inputs: [x],
    shape: perm.map((axis) => x.shape[axis]!),
    attributes: { perm: { ints: perm } },
    backward: (dy) => [
      transpose(
        dy,
        perm.map((_, axis) => perm.indexOf(axis)),
      ),
    ],
  });
}

/** Tensors one after the other along `axis`; all other axes agree. Gradient: split. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const first = tensors[0];
  if (!first) throw new Error("concat: got no tensors; give at least one");
  if (tensors.length === 1) return first;
  const along = normaliseAxis(axis, first.rank, "concat");
  for (const x of tensors) {
    if (x.dtype !== first.dtype || !sameShape(withSize(x.shape, along, 0), withSize(first.shape, along, 0))) {
      throw new Error(
        `concat: ${first.dtype} [${first.shape}] and ${x.dtype} [${x.shape}] must agree in type and in every axis but ${along}`,
      );
    }
  }
  const sizes = tensors.map((x) => x.shape[along]!);
  return apply({
    op: "Concat",
    inputs: tensors,
    shape: withSize(
      first.shape,
      along,
      sizes.reduce((a, b) => a + b, 0),
    ),
    attributes: { axis: { int: along } },
    backward: (dy) => split(dy, sizes, along),
  });
}

/** Pieces of the given sizes along `axis`; the sizes add up to the axis. Gradient: concat. */
export function split(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  const along = normaliseAxis(axis, x.rank, "split");
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== x.shape[along]) {
    throw new Error(
      `split: sizes [${sizes}] add up to ${total}, but axis ${along} of [${x.shape}] has ${x.shape[along]}`,
    );
  }
  if (sizes.length === 1) return [x];
  const outputs = sizes.map((size) => ({ dtype: x.dtype, shape: withSize(x.shape, along, size) }));
  return node({
    name: "Split",
    inputs: [x, constant(sizes, "int64")],
    outputs,
    emit: one("Split", { axis: { int: along } }),
    backward: (pieces) => [
      concat(
        pieces.map((dy, i) => dy ?? expand(constant(0, x.dtype), outputs[i]!.shape)),
        along,
      ),
    ],
  });
}

/** Elements `start` (inclusive) to `end` (exclusive) along `axis`. Gradient: pad with zeros. */
export function slice(x: Tensor, start: number, end: number, axis: number): Tensor {
  const along = normaliseAxis(axis, x.rank, "slice");
  const size = x.shape[along]!;
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= size)) {
    throw new Error(
      `slice: ${start} to ${end} is not a part of axis ${along} of [${x.shape}]; use 0 <= start < end <= ${size}`,
    );
  }
  const bounds = [[start], [end], [along]].map((value) => constant(value, "int64"));
  return apply({
    op: "Slice",
    inputs: [x, ...bounds],
    shape: withSize(x.shape, along, end - start),
    backward: (dy) => [pad(dy, start, size - end, along)],
  });
}

/** Zeros before and after the elements of `axis`. Gradient: slice. */
export function pad(x: Tensor, before: number, after: number, axis: number): Tensor {
  const along = normaliseAxis(axis, x.rank, "pad");
  const size = x.shape[along]!;
  const at = (count: number): Shape => x.shape.map((_, i) => (i === along ? count : 0));
  return apply({
    op: "Pad",
    inputs: [x, constant([...at(before), ...at(after)], "int64")],
    shape: withSize(x.shape, along, before + size + after),
    backward: (dy) => [slice(dy, before, before + size, along)],
  });
}
