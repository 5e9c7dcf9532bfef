// Packs row-major matrices into the panels that products read, divided among threads; and sums over rows.
// All addresses and steps are in bytes; every matrix has its columns padded to a multiple of 8.
import type { Engine, KernelCall, LoadedModule } from "./engine.js";
import { type Left, type Right, ranges, rowsOfTile, type Stream, tileColumns, tileRows } from "./gemm.js";
import { addPacking } from "./gemm-pack.js";

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
 * eight columns, two into panels of four columns of each, side by side.
 */
export function packRight(
  engine: Engine,
  from: readonly number[],
  rows: number,
  columns: number,
  to: number,
): Right {
  const panels = (from.length * columns) / tileColumns;
  const panelBytes = 4 * tileColumns * rows;
  const halves = from.length === 1 ? [from[0] as number, (from[0] as number) + 16] : from;
  const quadStep = 32 / from.length;
  const calls = halves.flatMap((address, half) =>
    ranges(panels, 16).map(([panel, count]) => [
      address + quadStep * panel,
      quadStep,
      4 * columns,
      to + panelBytes * panel + 16 * half,
      panelBytes,
      4 * tileColumns,
      count,
      rows,
    ]),
  );
  packing(engine).run("copy", grouped(calls, engine.threads));
  return { address: to, panels, panelBytes, k: rows };
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
