// Rules about shapes alone: broadcasting, axes, and the sentences that explain what does not fit.
import { checkList } from "./checks.js";
import { type Shape, sizeOf } from "./types.js";

/** The shape two operands broadcast to, as in NumPy. `where` names the operation in the error. */
export function broadcastShapes(a: Shape, b: Shape, where: string): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const m = a[axis - rank + a.length] ?? 1;
    const n = b[axis - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new RangeError(
        `${where}: shapes [${a}] and [${b}] do not broadcast: aligned at the right, ${m} meets ${n}, but sizes must be equal or one of them 1`,
      );
    }
    return m === 1 ? n : m;
  });
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Throws unless the shapes hold the same number of elements. */
export function checkSameSize(from: Shape, to: Shape, where: string): void {
  if (sizeOf(from) !== sizeOf(to)) {
    throw new RangeError(
      `${where}: [${from}] holds ${sizeOf(from)} elements, but [${to}] holds ${sizeOf(to)}`,
    );
  }
}

/** The axis counted from the left; a negative one counts from the right. */
export function normaliseAxis(axis: number, rank: number, where: string): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new RangeError(
      `${where}: axis ${axis} does not exist in a tensor of rank ${rank}; use ${-rank} to ${rank - 1}`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/** Several axes, counted from the left and ascending; undefined means all. */
export function normaliseAxes(
  axes: readonly number[] | number | undefined,
  rank: number,
  where: string,
): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = typeof axes === "number" ? [axes] : axes;
  checkList(where, "axes", list);
  return [...new Set(list.map((axis) => normaliseAxis(axis, rank, where)))].sort((a, b) => a - b);
}

/** The shape with one axis changed to another size. */
export function withSize(shape: Shape, axis: number, size: number): Shape {
  return shape.map((old, i) => (i === axis ? size : old));
}

/** The coordinates of an element, one for each axis, from its flat position. */
export function coordinatesOf(position: number, shape: Shape): number[] {
  let rest = position;
  return shape
    .toReversed()
    .map((size) => {
      const at = rest % size;
      rest = (rest - at) / size;
      return at;
    })
    .reverse();
}

/** The flat position of an element, from its coordinates. */
export function positionOf(coordinates: readonly number[], shape: Shape): number {
  return coordinates.reduce((position, at, axis) => position * shape[axis]! + at, 0);
}
