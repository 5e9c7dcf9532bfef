// Matrix products of the WebAssembly backend: divides a product of packed factors into calls of kernels, for every thread.
// All addresses and distances are in bytes. Every matrix has its columns padded to a multiple of 8.
//
//                     columns, in panels of 8
//                   +---+---+---+---+---+---+
//      rows, in     |   |   |   |   |   |   |     a cell is a tile
//      panels of 6  +---+===+===+---+---+---+
//                   |   |  part |   |   |   |     a part is a rectangle of tiles
//                   +---+===+===+---+---+---+     a group is a list of parts, computed by one thread
//
//      k   |------ stretch ------|------ stretch ------|    at most `longest` long; continues the sums that are in `out`
//          | block | block | ... | block | block | ... |    at most `inFirstCache` long (kBlock)
//
// One call of a kernel computes one stretch of one part.
import type { Engine, LoadedModule } from "../machine/engine.js";
import type { Fields, Given, Kernel } from "../machine/signature.js";
import { addProduct, type ProductArguments, productKernel } from "./product-kernel.js";
import { type LeftLayout, type TileShape, tileColumns, tileRows, type tileStream } from "./tile-kernel.js";

export { tileColumns, tileRows };

/** A matrix that is read or written tile by tile; see tile-kernel.ts. */
export type Stream = Given<typeof tileStream>;

/** The left factor of a product, packed into panels of `rows` rows. Each panel has all of `k`. */
export interface LeftFactor {
  readonly address: number;
  readonly layout: LeftLayout;
  readonly rows: number;
  readonly panels: number;
  readonly k: number;
}

/** The right factor, packed into panels of eight columns. Each panel is [k][8]. */
export interface RightFactor {
  readonly address: number;
  readonly panels: number;
  readonly panelBytes: number;
  readonly k: number;
  /** For panels that are packed only when they are needed: packs those columns, and returns a factor that has them. */
  readonly pack?: (column: number, columns: number) => RightFactor;
}

/** A rectangle of tiles: the first row panel and their number, the first column panel and their number. */
export interface Part {
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

export const padded = (count: number): number => Math.ceil(count / tileColumns) * tileColumns;

/** The rows of a tile in a product of `rows` rows. Few rows are one tile, so that the weights are read once, in order. */
export const rowsOfTile = (rows: number): number => (rows <= 4 ? Math.max(1, rows) : tileRows);

/** `rows`, rounded up to whole tiles. */
export const wholeTiles = (rows: number): number => Math.ceil(rows / rowsOfTile(rows)) * rowsOfTile(rows);

/** The stream of a row-major matrix. */
export const rowMajor = (base: number, columns: number): Stream => ({
  base,
  row: 4 * columns,
  panel: 4 * tileColumns,
  half: 16,
});
/** A stream that gives the same row, a bias, for all rows. */
export const sameRow = (base: number): Stream => ({ base, row: 0, panel: 4 * tileColumns, half: 16 });
/** The stream of a matrix that is packed as a right factor. */
export const inPanels = ({ address, panelBytes }: RightFactor): Stream => ({
  base: address,
  row: 4 * tileColumns,
  panel: panelBytes,
  half: 16,
});

/** The bytes of the left factor that meet one right panel before the next one: they stay in the second-level cache. */
const blockBytes = 3 * 2 ** 18;
/** The longest stretch of a sum. */
const longest = 1024;
/** The longest block of a sum: both panels of it, 6 rows and 8 columns, fit into a first-level cache. */
const inFirstCache = 512;
/**
 * About how many multiplications one call makes, some milliseconds of work. An engine may optimise a kernel while it runs, and
 * uses the faster code from the next call on.
 */
const callWork = 2 ** 25;
/** The bytes of panels that are packed together on demand: they are still in the second-level cache when they are used. */
const packedBytes = 2 ** 18;
/** A group has at least this many multiplications: waking a thread for fewer takes longer than computing them. */
const smallest = 2 ** 16;

/** Divides a product among threads: groups of about equal work, in parts whose rows stay in cache. */
function divideTiles(left: LeftFactor, columnPanels: number, threads: number): Part[][] {
  const work = left.panels * left.rows * left.k * columnPanels * tileColumns;
  // There are more groups than threads, since threads are not equally fast.
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

/** Runs a kernel over all parts of a product. Panels that are packed on demand are used while they are in cache. */
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

/** The same product with all right panels packed. */
function whole(factors: Product): Product {
  const { pack, panels } = factors.right;
  return pack === undefined ? factors : { ...factors, right: pack(0, panels) };
}

/** Divides 0 ... count - 1 into ranges of at most `step`: the first number and the length of each. */
export function ranges(count: number, step: number): [number, number][] {
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => [
    i * step,
    Math.min(step, count - i * step),
  ]);
}

/** The stretches of a sum: the beginning and the length of each. Each continues the sums that the one before left in `out`. */
function stretches({ k, rows }: LeftFactor): [number, number][] {
  return rows < tileRows || k <= longest ? [[0, k]] : ranges(k, evenly(k, longest));
}

/** The length of equal blocks of a sum, a multiple of 4 and at most `most`, which is one too. */
const evenly = (k: number, most: number): number => 4 * Math.ceil(k / Math.max(1, Math.ceil(k / most)) / 4);

/** The stream of one part of a matrix. */
export const partOf = ({ base, row, panel, half }: Stream, left: LeftFactor, part: Part): Stream => ({
  base: base + part.row * left.rows * row + part.column * panel,
  row,
  panel,
  half,
});

/** A product: `out = start + left right`. `out` has room for whole tiles. */
interface Product {
  readonly left: LeftFactor;
  readonly right: RightFactor;
  readonly start: Stream;
  readonly out: Stream;
}

/** The arguments of a call for one part and one stretch. `apart` is for kernels that compute pairs of column panels. */
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
 * A product whose last stretch is computed by a fused kernel. `withProduct` makes that kernel's arguments from those of the
 * product. A product of one or two rows is computed by the kernel that reads weights fastest; the fused kernel then gets an empty
 * stretch.
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

/** Whether column panels are computed in pairs. There are enough registers for that up to two rows. */
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

/** A part in pairs of column panels, one from its first half and one from its second. An odd last panel is paired with itself. */
function pairsOf(part: Part): { readonly part: Part; readonly apart?: number }[] {
  const half = Math.floor(part.columns / 2);
  const pairs = { part: { ...part, columns: half }, apart: half };
  const odd = { part: { ...part, column: part.column + 2 * half, columns: 1 }, apart: 0 };
  return part.columns % 2 === 0 ? [pairs] : half === 0 ? [odd] : [pairs, odd];
}
