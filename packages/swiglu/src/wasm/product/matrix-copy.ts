// Copies row-major matrices between arrays and the heap, where rows are padded to a multiple of 8 columns.
// A matrix may also be gate or up in a packed array. These copies are in JavaScript; inside the heap, kernels copy.
import { type PackedLayout, packedViews } from "../../layout.js";
import type { Engine } from "../machine/engine.js";
import { padded } from "./product.js";

/** Which elements of an array make up a matrix: (row, column) is at `row * rowLength + offset + column * step`. */
export interface Columns {
  readonly offset: number;
  readonly step: number;
  readonly rowLength: number;
}

export const wholeRows = (columns: number): Columns => ({ offset: 0, step: 1, rowLength: columns });

/** Where gate and up are in a packed array. Each has `columns` columns. */
export function packedColumns(columns: number, layout: PackedLayout): [gate: Columns, up: Columns] {
  const { gate, up } = packedViews([1, 2 * columns], { layout });
  const step = layout === "interleaved" ? 2 : 1;
  return [
    { offset: gate.offset, step, rowLength: 2 * columns },
    { offset: up.offset, step, rowLength: 2 * columns },
  ];
}

/**
 * Copies a matrix to an address. Rows are padded with zeros to a multiple of 8 columns, and rows of zeros follow up to `allRows`.
 * `numbers` is called only when the copy begins, since an array of the heap is invalid once the heap has grown.
 */
export function writePadded(
  engine: Engine,
  to: number,
  numbers: () => Float32Array,
  [rows, columns]: readonly [number, number],
  { allRows = rows, from = wholeRows(columns) }: { readonly allRows?: number; readonly from?: Columns } = {},
): void {
  const width = padded(columns);
  const target = engine.heap.at(to, allRows * width);
  const source = numbers();
  target.fill(0, rows * width);
  if (width === columns && from.rowLength === columns) target.set(source);
  else
    for (let row = 0; row < rows; row++) {
      const first = row * from.rowLength + from.offset;
      const start = row * width;
      if (from.step === 1) target.set(source.subarray(first, first + columns), start);
      else for (let i = 0; i < columns; i++) target[start + i] = source[first + from.step * i] as number;
      target.fill(0, start + columns, start + width);
    }
}

/** Copies a matrix from an address of the heap to an array, without the padding of its rows. */
export function readMatrix(
  engine: Engine,
  address: number,
  rows: number,
  columns: number,
  into: Float32Array = new Float32Array(rows * columns),
  { offset, step, rowLength }: Columns = wholeRows(columns),
): Float32Array {
  const width = padded(columns);
  if (width === columns && rowLength === columns) into.set(engine.heap.at(address, rows * columns));
  else
    for (let row = 0; row < rows; row++) {
      const source = engine.heap.at(address + 4 * width * row, columns);
      const first = row * rowLength + offset;
      if (step === 1) into.set(source, first);
      else for (let i = 0; i < columns; i++) into[first + step * i] = source[i] as number;
    }
  return into;
}
