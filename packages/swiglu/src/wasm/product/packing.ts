// Packs row-major matrices into the panels that products read, and sums over rows; the kernels are in packing-kernels.ts.
// All addresses and distances are in bytes. Every matrix has its columns padded to a multiple of 8.
import type { Engine } from "../machine/engine.js";
import type { Fields, Given, Kernel } from "../machine/signature.js";
import {
  addPacking,
  columnsKernel,
  copyKernel,
  panelsKernel,
  sumsKernel,
  transposeKernel,
  transposeRowsKernel,
} from "./packing-kernels.js";
import {
  type LeftFactor,
  type RightFactor,
  ranges,
  rowsOfTile,
  type Stream,
  tileColumns,
  tileRows,
} from "./product.js";

/** Runs calls of one kernel, divided into about two groups for each thread. */
function run<S extends Fields>(engine: Engine, kernel: Kernel<S>, calls: readonly Given<S>[]): void {
  const groups = ranges(calls.length, Math.ceil(calls.length / (2 * engine.threads)));
  engine.load("packing", addPacking).run(
    kernel,
    groups.map(([from, count]) => calls.slice(from, from + count)),
  );
}

/** Packs a row-major matrix into a left factor at `to`, in the order `quads`. `columns` is a multiple of 8. */
export function packLeft(
  engine: Engine,
  from: number,
  rows: number,
  columns: number,
  to: number,
): LeftFactor {
  const tile = rowsOfTile(rows);
  const panels = Math.ceil(rows / tile);
  const calls = ranges(rows, tile).map(([row, count]) => ({
    from: from + 4 * columns * row,
    fromRow: 4 * columns,
    fromQuad: 16,
    to: to + 4 * columns * row,
    toRow: 16,
    toQuad: 16 * tile,
    rows: count,
    quads: columns / 4,
  }));
  run(engine, copyKernel, calls);
  return { address: to, layout: "quads", rows: tile, panels, k: columns };
}

/** Packs two matrices as one left factor: four columns of the first, four of the second, the next four of the first ... */
export function packLeftPair(
  engine: Engine,
  from: readonly [number, number],
  rows: number,
  columns: number,
  to: number,
): LeftFactor {
  const tile = rowsOfTile(rows);
  const panels = Math.ceil(rows / tile);
  const calls = from.flatMap((address, i) =>
    ranges(rows, tile).map(([row, count]) => ({
      from: address + 4 * columns * row,
      fromRow: 4 * columns,
      fromQuad: 16,
      to: to + 8 * columns * row + 16 * tile * i,
      toRow: 16,
      toQuad: 32 * tile,
      rows: count,
      quads: columns / 4,
    })),
  );
  run(engine, copyKernel, calls);
  return { address: to, layout: "quads", rows: tile, panels, k: 2 * columns };
}

/** Packs the transpose of a row-major matrix into a left factor at `to`. The sum then runs over the rows of the matrix. */
export function packColumns(
  engine: Engine,
  from: number,
  rows: number,
  columns: number,
  rowLength: number,
  to: number,
): LeftFactor {
  const panels = Math.ceil(columns / tileRows);
  const calls = ranges(panels, Math.ceil(panels / (2 * engine.threads))).map(([panel, count]) => ({
    from: from + 4 * tileRows * panel,
    fromRow: 4 * rowLength,
    to: to + 4 * tileRows * rows * panel,
    rows,
    panels: count,
  }));
  run(engine, columnsKernel, calls);
  return { address: to, layout: "columns", rows: tileRows, panels, k: rows };
}

/**
 * Packs one or two row-major matrices of `columns` columns (a multiple of 8) into a right factor at `to`. A panel has eight
 * columns of the one matrix, or four columns of the first and four of the second. Rows are `rowLength` numbers long.
 */
export function packRight(
  engine: Engine,
  from: readonly number[],
  rows: number,
  columns: number,
  to: number,
  rowLength = columns,
): RightFactor {
  const panels = (from.length * columns) / tileColumns;
  const panelBytes = 4 * tileColumns * rows;
  const [first, second] = from.length === 1 ? [from[0] as number, (from[0] as number) + 16] : from;
  const step = from.length === 1 ? 32 : 16;
  const groups = Math.floor(panels / 4);
  const calls = ranges(groups, 4).map(([group, count]) => ({
    first: (first as number) + 4 * step * group,
    second: (second as number) + 4 * step * group,
    fromRow: 4 * rowLength,
    to: to + 4 * panelBytes * group,
    toPanel: panelBytes,
    groups: count,
    rows,
  }));
  run(engine, panelsKernel(step), calls);
  const rest = 4 * groups;
  const copies = [first, second].map((address, half) => ({
    from: (address as number) + step * rest,
    fromRow: step,
    fromQuad: 4 * rowLength,
    to: to + panelBytes * rest + 16 * half,
    toRow: panelBytes,
    toQuad: 4 * tileColumns,
    rows: panels - rest,
    quads: rows,
  }));
  if (panels > rest) run(engine, copyKernel, copies);
  return { address: to, panels, panelBytes, k: rows };
}

/**
 * Packs the transpose of what `packRight` takes into a right factor at `to`. The result is that of `packTransposed` on what
 * `packRight` returns. `rows` is a multiple of 8 too.
 */
export function packRightTransposed(
  engine: Engine,
  from: readonly number[],
  rows: number,
  columns: number,
  to: number,
  rowLength = columns,
): RightFactor {
  const k = from.length * columns;
  const panels = rows / tileColumns;
  const panelBytes = 4 * tileColumns * k;
  const block = 4 * 4 * tileColumns;
  const calls = from.flatMap((address, i) =>
    ranges(panels, 4).map(([panel, count]) => ({
      from: address + 4 * rowLength * tileColumns * panel,
      fromRow: 4 * rowLength,
      to: to + panelBytes * panel + block * i,
      toStep: block * from.length,
      toPanel: panelBytes,
      panels: count,
      blocks: columns / 4,
    })),
  );
  run(engine, transposeRowsKernel, calls);
  return { address: to, panels, panelBytes, k };
}

/** Packs the transpose of a right factor, whose k is a multiple of 8, into another one at `to`. */
export function packTransposed(engine: Engine, from: RightFactor, to: number): RightFactor {
  const panelBytes = 4 * tileColumns * tileColumns * from.panels;
  const panels = from.k / tileColumns;
  const block = 4 * 4 * tileColumns;
  const calls = [0, 1].flatMap((inRow) =>
    [0, 1].flatMap((inColumn) =>
      ranges(panels, 16).map(([panel, count]) => ({
        from: from.address + 2 * block * panel + block * inRow + 16 * inColumn,
        fromOuter: 2 * block,
        fromInner: from.panelBytes,
        to: to + panelBytes * panel + block * inColumn + 16 * inRow,
        toOuter: panelBytes,
        toInner: 2 * block,
        outer: count,
        inner: from.panels,
      })),
    ),
  );
  run(engine, transposeKernel, calls);
  return { address: to, panels, panelBytes, k: tileColumns * from.panels };
}

/** The sums of each column of a stream over the rows, in float64. `scratch` is the address of room for them. */
export function columnSums(
  engine: Engine,
  from: Stream,
  rows: number,
  panels: number,
  scratch: number,
): Float64Array {
  const calls = ranges(panels, 16).map(([panel, count]) => ({
    from: from.base + from.panel * panel,
    fromRow: from.row,
    fromPanel: from.panel,
    to: scratch + 8 * tileColumns * panel,
    rows,
    panels: count,
  }));
  run(engine, sumsKernel, calls);
  return new Float64Array(engine.heap.memory.buffer, scratch, tileColumns * panels).slice();
}
