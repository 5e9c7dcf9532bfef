// Packs row-major matrices into the panels that products read, divided among threads; and sums over rows.
// All addresses and steps are in bytes; every matrix has its columns padded to a multiple of 8.
import type { Engine, KernelCall, LoadedModule } from "../machine/engine.js";
import { addPacking } from "./packing-kernels.js";
import { type Left, type Right, ranges, rowsOfTile, type Stream, tileColumns, tileRows } from "./product.js";

function packing(engine: Engine): LoadedModule {
  return engine.load("packing", addPacking);
}

/** A few groups for each thread, from as many calls as there are. */
function grouped(calls: readonly KernelCall[], threads: number): KernelCall[][] {
  return ranges(calls.length, Math.ceil(calls.length / (2 * threads))).map(([from, count]) =>
    calls.slice(from, from + count),
  );
}

/** Packs rows of a row-major matrix into a left operand at `to`, in quads. `columns` is a multiple of 8. */
export function packLeft(engine: Engine, from: number, rows: number, columns: number, to: number): Left {
  const tile = rowsOfTile(rows);
  const panels = Math.ceil(rows / tile);
  const calls = ranges(rows, tile).map(([row, count]) => [
    from + 4 * columns * row,
    4 * columns,
    16,
    to + 4 * columns * row,
    16,
    16 * tile,
    count,
    columns / 4,
  ]);
  packing(engine).run("copy", grouped(calls, engine.threads));
  return { address: to, layout: "quads", rows: tile, panels, k: columns };
}

/** The same for two matrices as one, of which every four columns of the first are followed by four of the second. */
export function packLeftPair(
  engine: Engine,
  from: readonly [number, number],
  rows: number,
  columns: number,
  to: number,
): Left {
  const tile = rowsOfTile(rows);
  const panels = Math.ceil(rows / tile);
  const calls = from.flatMap((address, i) =>
    ranges(rows, tile).map(([row, count]) => [
      address + 4 * columns * row,
      4 * columns,
      16,
      to + 8 * columns * row + 16 * tile * i,
      16,
      32 * tile,
      count,
      columns / 4,
    ]),
  );
  packing(engine).run("copy", grouped(calls, engine.threads));
  return { address: to, layout: "quads", rows: tile, panels, k: 2 * columns };
}

/** Packs the transpose of a row-major matrix into a left operand at `to`: its columns become rows, its rows the sum. */
export function packColumns(
  engine: Engine,
  from: number,
  rows: number,
  columns: number,
  rowLength: number,
  to: number,
): Left {
  const panels = Math.ceil(columns / tileRows);
  const calls = ranges(panels, Math.ceil(panels / (2 * engine.threads))).map(([panel, count]) => [
    from + 4 * tileRows * panel,
    4 * rowLength,
    to + 4 * tileRows * rows * panel,
    rows,
    count,
  ]);
  packing(engine).run("columns", grouped(calls, engine.threads));
  return { address: to, layout: "columns", rows: tileRows, panels, k: rows };
}

/**
 * Packs row-major matrices of `columns` columns (a multiple of 8) into a right operand at `to`: one matrix into panels of
 * eight columns, two into panels of four columns of each, side by side. Their rows are `rowLength` numbers long.
 */
export function packRight(
  engine: Engine,
  from: readonly number[],
  rows: number,
  columns: number,
  to: number,
  rowLength = columns,
): Right {
  const panels = (from.length * columns) / tileColumns;
  const panelBytes = 4 * tileColumns * rows;
  const [first, second] = from.length === 1 ? [from[0] as number, (from[0] as number) + 16] : from;
  const step = 32 / from.length;
  const groups = Math.floor(panels / 4);
  const calls = ranges(groups, 4).map(([group, count]) => [
    (first as number) + 4 * step * group,
    (second as number) + 4 * step * group,
    4 * rowLength,
    to + 4 * panelBytes * group,
    panelBytes,
    count,
    rows,
  ]);
  packing(engine).run(`panels${step}`, grouped(calls, engine.threads));
  const rest = 4 * groups;
  const copies = [first, second].map((address, half) => [
    (address as number) + step * rest,
    step,
    4 * rowLength,
    to + panelBytes * rest + 16 * half,
    panelBytes,
    4 * tileColumns,
    panels - rest,
    rows,
  ]);
  if (panels > rest) packing(engine).run("copy", grouped(copies, engine.threads));
  return { address: to, panels, panelBytes, k: rows };
}

/**
 * Packs the transpose of what `packRight` takes into a right operand at `to`, like `packTransposed` of its result. `rows` is a
 * multiple of 8 as well.
 */
export function packRightTransposed(
  engine: Engine,
  from: readonly number[],
  rows: number,
  columns: number,
  to: number,
  rowLength = columns,
): Right {
  const k = from.length * columns;
  const panels = rows / tileColumns;
  const panelBytes = 4 * tileColumns * k;
  const block = 4 * 4 * tileColumns;
  const calls = from.flatMap((address, i) =>
    ranges(panels, 4).map(([panel, count]) => [
      address + 4 * rowLength * tileColumns * panel,
      4 * rowLength,
      to + panelBytes * panel + block * i,
      block * from.length,
      panelBytes,
      count,
      columns / 4,
    ]),
  );
  packing(engine).run("transposeRows", grouped(calls, engine.threads));
  return { address: to, panels, panelBytes, k };
}

/** Packs the transpose of a right operand, whose k is a multiple of 8, into another one at `to`. */
export function packTransposed(engine: Engine, from: Right, to: number): Right {
  const panelBytes = 4 * tileColumns * tileColumns * from.panels;
  const panels = from.k / tileColumns;
  const block = 4 * 4 * tileColumns;
  const calls = [0, 1].flatMap((inRow) =>
    [0, 1].flatMap((inColumn) =>
      ranges(panels, 16).map(([panel, count]) => [
        from.address + 2 * block * panel + block * inRow + 16 * inColumn,
        2 * block,
        from.panelBytes,
        to + panelBytes * panel + block * inColumn + 16 * inRow,
        panelBytes,
        2 * block,
        count,
        from.panels,
      ]),
    ),
  );
  packing(engine).run("transpose", grouped(calls, engine.threads));
  return { address: to, panels, panelBytes, k: tileColumns * from.panels };
}

/** Sums over rows, in float64, of each column of what a stream goes through. `scratch` has room for them. */
export function columnSums(
  engine: Engine,
  from: Stream,
  rows: number,
  panels: number,
  scratch: number,
): Float64Array {
  const calls = ranges(panels, 16).map(([panel, count]) => [
    from.base + from.panel * panel,
    from.row,
    from.panel,
    scratch + 8 * tileColumns * panel,
    rows,
    count,
  ]);
  packing(engine).run("sums", grouped(calls, engine.threads));
  return new Float64Array(engine.heap.memory.buffer, scratch, tileColumns * panels).slice();
}
