// Matrix products of the WebAssembly backend: factors as packed panels, work divided into calls for every thread.
// All addresses and steps are in bytes; every matrix has its columns padded to a multiple of 8.
import type { Engine, LoadedModule } from "../machine/engine.js";
import type { Fields, Given, Kernel } from "../machine/signature.js";
import { addProduct, type ProductArguments, productKernel } from "./product-kernel.js";
import { type LeftLayout, type TileShape, tileColumns, tileRows, type tileStream } from "./tile-kernel.js";

export { tileColumns, tileRows };

/** Where a matrix is read or written tile by tile. */
export type Stream = Given<typeof tileStream>;

/** The left factor of a product: panels of `rows` rows, each with all of `k`. */
export interface LeftFactor {
  readonly address: number;
  readonly layout: LeftLayout;
  readonly rows: number;
  readonly panels: number;
  readonly k: number;
}

/** The right factor: panels of eight columns, [k][8] each. */
export interface RightFactor {
  readonly address: number;
  readonly panels: number;
  readonly panelBytes: number;
  readonly k: number;
  /** Panels that are packed on the way: packs some of them, and gives an operand in which these are. */
  readonly pack?: (column: number, columns: number) => RightFactor;
}

/** A rectangle of tiles: row panels and column panels. */
export interface Part {
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

export const padded = (count: number): number => Math.ceil(count / tileColumns) * tileColumns;

/** The rows of a tile for that many rows in all: few rows are one tile, which then reads the weights once, in order. */
export const rowsOfTile = (rows: number): number => (rows <= 4 ? Math.max(1, rows) : tileRows);

/** Rows, rounded up to whole tiles. */
export const wholeTiles = (rows: number): number => Math.ceil(rows / rowsOfTile(rows)) * rowsOfTile(rows);

/** A row-major matrix. */
export const rowMajor = (base: number, columns: number): Stream => ({
  base,
  row: 4 * columns,
  panel: 4 * tileColumns,
  half: 16,
});
/** The same row for all rows. */
export const sameRow = (base: number): Stream => ({ base, row: 0, panel: 4 * tileColumns, half: 16 });
/** Panels of eight columns, as a right factor has them. */
export const inPanels = ({ address, panelBytes }: RightFactor): Stream => ({
  base: address,
  row: 4 * tileColumns,
  panel: panelBytes,
  half: 16,
});

/** How many bytes of the left factor are gone through for each panel of the right one: second-level caches hold them. */
const blockBytes = 3 * 2 ** 18;
/** The longest sum for which that is done: longer ones are taken in stretches. */
const longest = 1024;
/** The length of a sum whose panels, 6 and 8 wide, fit into a first-level cache together. */
const inFirstCache = 512;
/**
 * About how many multiplications one call makes: milliseconds' worth. An engine that compiles a kernel again, and better,
 * while it runs uses the better code from the next call on.
 */
const callWork = 2 ** 25;
/** How many bytes of panels are packed at a time: they are in the second-level cache when they are used. */
const packedBytes = 2 ** 18;
/** Below this many multiplications a thread costs more than it does. */
const smallest = 2 ** 16;

/** Divides tiles among threads: groups of parts, each of about equal work, whose rows stay in cache. */
function divideTiles(left: LeftFactor, columnPanels: number, threads: number): Part[][] {
  const work = left.panels * left.rows * left.k * columnPanels * tileColumns;
  // More groups than threads, since threads are not equally fast.
  const wanted = threads === 1 ? 1 : Math.max(1, Math.min(4 * threads, Math.ceil(work / smallest)));
  const byColumns = columnPanels >= left.panels;
  const panels = byColumns ? columnPanels : left.panels;
  const long = Math.max(1, Math.min(left.k, longest));
  const block = Math.max(1, Math.floor(blockBytes / (4 * left.rows * long)));
  return ranges(panels, Math.ceil(panels / wanted)).map(([from, count]) => {
    const [row, rows, column, columns] = byColumns
      ? [0, left.panels, from, count]
      : [from, count, 0, columnPanels];
    return ranges(rows, block).flatMap(([down, height]) => {
      const most = Math.ceil(callWork / (tileColumns * left.rows * height * long));
      return ranges(columns, most).map(([across, width]) => ({
        row: row + down,
        rows: height,
        column: column + across,
        columns: width,
      }));
    });
  });
}

/** Runs a kernel over all parts of a product; panels that are packed on the way are used while they are in cache. */
function overParts<S extends Fields>(
  engine: Engine,
  module: LoadedModule,
  kernel: Kernel<S>,
  factors: Product,
  callsOf: (factors: Product, part: Part) => Given<S>[],
): void {
  const { left, right } = factors;
  const { pack, panels, panelBytes } = right;
  if (pack === undefined) {
    const groups = divideTiles(left, panels, engine.threads);
    module.run(
      kernel,
      groups.map((group) => group.flatMap((part) => callsOf(factors, part))),
    );
    return;
  }
  const block = Math.max(1, Math.floor(blockBytes / (4 * left.rows * Math.min(left.k, longest))));
  const most = 4 * Math.max(1, Math.floor(packedBytes / (4 * panelBytes)));
  for (const [column, columns] of ranges(panels, most)) {
    const packed = { ...factors, right: pack(column, columns) };
    const calls = ranges(left.panels, block).flatMap(([row, rows]) =>
      callsOf(packed, { row, rows, column, columns }),
    );
    module.run(kernel, [calls]);
  }
}

/** A product whose panels are all packed. */
function whole(factors: Product): Product {
  const { pack, panels } = factors.right;
  return pack === undefined ? factors : { ...factors, right: pack(0, panels) };
}

/** Ranges of at most `step` that make up `count`: first and length of each. */
export function ranges(count: number, step: number): [number, number][] {
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => [
    i * step,
    Math.min(step, count - i * step),
  ]);
}

/** The stretches of a long sum, each of which continues what the one before left in the output. */
function stretches({ k, rows }: LeftFactor): [number, number][] {
  return rows < tileRows || k <= longest ? [[0, k]] : ranges(k, evenly(k, longest));
}

/** The length of blocks of at most `most` (a multiple of 4) that divide a sum evenly. */
const evenly = (k: number, most: number): number => 4 * Math.ceil(k / Math.max(1, Math.ceil(k / most)) / 4);

/** Where a part of a stream begins. */
export const partOf = ({ base, row, panel, half }: Stream, left: LeftFactor, part: Part): Stream => ({
  base: base + part.row * left.rows * row + part.column * panel,
  row,
  panel,
  half,
});

/** The factors of a product: `out = start + left right`. `out` has room for whole tiles. */
interface Product {
  readonly left: LeftFactor;
  readonly right: RightFactor;
  readonly start: Stream;
  readonly out: Stream;
}

/** The arguments of a `PanelProduct` for one part and one stretch of the sum; `apart` where it takes pairs of panels. */
function argumentsOf(
  { left, right, start, out }: Product,
  part: Part,
  [from, length]: readonly [number, number],
  apart?: number,
): Given<ProductArguments> {
  const leftPanel = 4 * left.rows * left.k;
  return {
    left: left.address + part.row * leftPanel + 4 * left.rows * from,
    leftPanel,
    right: right.address + part.column * right.panelBytes + 4 * tileColumns * from,
    rightPanel: right.panelBytes,
    k: length,
    kBlock: left.rows < tileRows ? length : evenly(length, inFirstCache),
    rowPanels: part.rows,
    columnPanels: part.columns,
    start: partOf(from === 0 ? start : out, left, part),
    out: partOf(out, left, part),
    apart,
  };
}

/** `out = start + left right` */
export function product(engine: Engine, factors: Product): void {
  multiply(engine, factors, stretches(factors.left));
}

/**
 * A product whose last stretch is done by a fused kernel, with the arguments that `withProduct` makes of those of the product.
 * Where the weights are only read once, the kernel that reads fastest does it all, and an empty stretch is left.
 */
export function fusedProduct<S extends Fields>(
  engine: Engine,
  given: Product,
  module: LoadedModule,
  kernel: Kernel<S>,
  withProduct: (product: Given<ProductArguments>, part: Part) => Given<S>,
): void {
  const all = stretches(given.left);
  const last = inPairs(given.left) ? ([given.left.k, 0] as const) : (all.pop() as [number, number]);
  const factors = all.length > 0 ? whole(given) : given;
  if (all.length > 0) multiply(engine, factors, all);
  overParts(engine, module, kernel, factors, (factors, part) => [
    withProduct(argumentsOf(factors, part, last), part),
  ]);
}

/** Whether column panels are taken two at a time: up to two rows there are enough registers for it. */
const inPairs = ({ rows, layout }: LeftFactor): boolean => rows < 3 && layout === "quads";

function multiply(engine: Engine, factors: Product, sum: readonly [number, number][]): void {
  const { rows, layout } = factors.left;
  const panels = inPairs(factors.left) ? 2 : 1;
  const shape: TileShape = { rows, left: layout, panels };
  const module = engine.load(`product ${rows} ${layout} ${panels}`, (module) =>
    addProduct(module, shape, engine.simd),
  );
  const all = panels === 2 ? whole(factors) : factors;
  overParts(engine, module, productKernel(shape), all, (factors, whole) =>
    (panels === 2 ? pairsOf(whole) : [{ part: whole }]).flatMap(({ part, apart }) =>
      sum.map((stretch) => argumentsOf(factors, part, stretch, apart)),
    ),
  );
}

/** Pairs of a part's column panels, each of one from its first and one from its second half; an odd one pairs with itself. */
function pairsOf(part: Part): { readonly part: Part; readonly apart?: number }[] {
  const half = Math.floor(part.columns / 2);
  const pairs = { part: { ...part, columns: half }, apart: half };
  const odd = { part: { ...part, column: part.column + 2 * half, columns: 1 }, apart: 0 };
  return part.columns % 2 === 0 ? [pairs] : half === 0 ? [odd] : [pairs, odd];
}
