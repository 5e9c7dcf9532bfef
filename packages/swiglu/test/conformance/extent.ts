// How much of the grid of cases the slow suites run: a fixed share in `npm test`, all of it in `npm run test:all`, which sets
// SWIGLU_TESTS=full. The share has every activation and every kind of case; which points of a kind it takes turns from
// one activation to the next, so that together they take all. Fast suites (reference, wasm) always run the whole grid.

export type Extent = "full" | "share";

/** What the suites of slow backends and adapters run now. Bundlers put the variable's value here for pages. */
export const slowExtent: Extent = process.env.SWIGLU_TESTS === "full" ? "full" : "share";

/** Which points of the grid a case takes: all, or a share that differs with `turn`. */
export interface Choice {
  readonly extent: Extent;
  readonly turn: number;
}

/** Every item; as a share one, in turn. */
export const oneOf = <T>(items: readonly T[], { extent, turn }: Choice): readonly T[] =>
  extent === "full" ? items : [items[turn % items.length] as T];

/** Every pair of a row and a column. */
export const pairs = <R, C>(rows: readonly R[], columns: readonly C[]): (readonly [R, C])[] =>
  columns.flatMap((column) => rows.map((row) => [row, column] as const));

/** Every pair of a row and a column; as a share every row once, with columns in turn. */
export const rowsOf = <R, C>(
  rows: readonly R[],
  columns: readonly C[],
  { extent, turn }: Choice,
): (readonly [R, C])[] =>
  extent === "full"
    ? pairs(rows, columns)
    : rows.map((row, i) => [row, columns[(i + turn) % columns.length] as C] as const);
