// Moving elements: transpose, concat and split, slice and pad. Each pair is the other's gradient.
import { checkList } from "../graph/checks.js";
import { coordinatesOf, normaliseAxis, positionOf, sameShape, withSize } from "../graph/shapes.js";
import { apply, constant, integers, node, one, type Tensor } from "../graph/tensor.js";
import { checkTensors } from "../graph/tensor-checks.js";
import type { Shape } from "../graph/types.js";
import { expand } from "./broadcast.js";

/**
 * The axes in another order (default: reversed). Gradient: the inverse order.
 * Example: `transpose(x, [0, 2, 1, 3])`.
 */
export function transpose(x: Tensor, order?: readonly number[]): Tensor {
  checkTensors("transpose", { x });
  if (order !== undefined) checkList("transpose", "the order", order);
  const perm = order ?? x.shape.map((_, axis) => x.rank - 1 - axis);
  if (
    !sameShape(
      perm.toSorted((a, b) => a - b),
      x.shape.map((_, axis) => axis),
    )
  ) {
    throw new RangeError(
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
    origin: (position) => {
      const coordinates = coordinatesOf(
        position,
        perm.map((axis) => x.shape[axis]!),
      );
      return [
        0,
        positionOf(
          x.shape.map((_, axis) => coordinates[perm.indexOf(axis)]!),
          x.shape,
        ),
      ];
    },
  });
}

/** Tensors one after the other along `axis`; all other axes agree. Gradient: split. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  checkList("concat", "the first argument", tensors);
  const first = tensors[0];
  if (!first) throw new TypeError("concat: got no tensors; give at least one");
  checkTensors("concat", Object.fromEntries(tensors.map((x, i) => [`tensor ${i + 1}`, x])));
  if (tensors.length === 1) return first;
  const along = normaliseAxis(axis, first.rank, "concat");
  for (const x of tensors) {
    if (x.dtype !== first.dtype || !sameShape(withSize(x.shape, along, 0), withSize(first.shape, along, 0))) {
      throw new RangeError(
        `concat: ${first.dtype} [${first.shape}] and ${x.dtype} [${x.shape}] must agree in type and in every axis but ${along}`,
      );
    }
  }
  const sizes = tensors.map((x) => x.shape[along]!);
  const shape = withSize(
    first.shape,
    along,
    sizes.reduce((a, b) => a + b, 0),
  );
  return apply({
    op: "Concat",
    inputs: tensors,
    shape,
    attributes: { axis: { int: along } },
    backward: (dy) => split(dy, sizes, along),
    origin: (position) => {
      const coordinates = coordinatesOf(position, shape);
      let start = 0;
      const input = sizes.findIndex((size) => {
        if (coordinates[along]! < start + size) return true;
        start += size;
        return false;
      });
      return [input, positionOf(coordinates.with(along, coordinates[along]! - start), tensors[input]!.shape)];
    },
  });
}

/** Pieces of the given sizes along `axis`; the sizes add up to the axis. Gradient: concat. */
export function split(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  checkTensors("split", { x });
  const along = normaliseAxis(axis, x.rank, "split");
  checkList("split", "sizes", sizes);
  const wrong = sizes.find((size) => !Number.isInteger(size) || size < 1);
  if (wrong !== undefined || sizes.length === 0)
    throw new RangeError(`split: sizes are [${sizes}]; expected whole numbers from 1 on`);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== x.shape[along]) {
    throw new RangeError(
      `split: sizes [${sizes}] add up to ${total}, but axis ${along} of [${x.shape}] has ${x.shape[along]}`,
    );
  }
  if (sizes.length === 1) return [x];
  const outputs = sizes.map((size) => ({ dtype: x.dtype, shape: withSize(x.shape, along, size) }));
  return node({
    name: "Split",
    inputs: [x, integers(sizes)],
    outputs,
    emit: one("Split", { axis: { int: along } }),
    backward: (pieces) => [
      concat(
        pieces.map((dy, i) => dy ?? expand(constant(0, x.dtype), outputs[i]!.shape)),
        along,
      ),
    ],
    facts: {
      origin: (position, output) => {
        const coordinates = coordinatesOf(position, outputs[output]!.shape);
        const start = sizes.slice(0, output).reduce((a, b) => a + b, 0);
        return [0, positionOf(coordinates.with(along, coordinates[along]! + start), x.shape)];
      },
    },
  });
}

/** Elements `start` (inclusive) to `end` (exclusive) along `axis`. Gradient: pad with zeros. */
export function slice(x: Tensor, start: number, end: number, axis: number): Tensor {
  checkTensors("slice", { x });
  const along = normaliseAxis(axis, x.rank, "slice");
  const size = x.shape[along]!;
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= size)) {
    throw new RangeError(
      `slice: ${start} to ${end} is not a part of axis ${along} of [${x.shape}]; use 0 <= start < end <= ${size}`,
    );
  }
  const bounds = [[start], [end], [along]].map((value) => integers(value));
  const shape = withSize(x.shape, along, end - start);
  return apply({
    op: "Slice",
    inputs: [x, ...bounds],
    shape,
    backward: (dy) => [pad(dy, start, size - end, along)],
    origin: (position) => {
      const coordinates = coordinatesOf(position, shape);
      return [0, positionOf(coordinates.with(along, coordinates[along]! + start), x.shape)];
    },
  });
}

/** Zeros before and after the elements of `axis`. Gradient: slice. */
export function pad(x: Tensor, before: number, after: number, axis: number): Tensor {
  checkTensors("pad", { x });
  const along = normaliseAxis(axis, x.rank, "pad");
  const size = x.shape[along]!;
  if (!(Number.isInteger(before) && Number.isInteger(after) && before >= 0 && after >= 0))
    throw new RangeError(`pad: ${before} before and ${after} after; expected whole numbers from 0 on`);
  const shape = withSize(x.shape, along, before + size + after);
  const at = (count: number): Shape => x.shape.map((_, i) => (i === along ? count : 0));
  return apply({
    op: "Pad",
    inputs: [x, integers([...at(before), ...at(after)])],
    shape,
    backward: (dy) => [slice(dy, before, before + size, along)],
    origin: (position) => {
      const coordinates = coordinatesOf(position, shape);
      const at = coordinates[along]! - before;
      return at >= 0 && at < size ? [0, positionOf(coordinates.with(along, at), x.shape)] : undefined;
    },
  });
}
