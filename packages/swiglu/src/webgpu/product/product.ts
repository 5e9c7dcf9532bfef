// Matrix products on the GPU: matrices in its memory, and the choice of the kernel for a product.
import type { Place } from "../device/buffers.js";
import type { Call } from "../device/call.js";
import type { Bindings, Places, Words } from "../device/signature.js";
import { mostStreamedRows, rowsKernel, streamedQuads } from "./rows-kernel.js";
import { type Product, type productSignature, tileColumns, tileKernel, tileRows } from "./tile-kernel.js";

/** A row-major matrix. Its rows are padded with zeros to whole quads, vectors of four numbers. */
export interface Matrix {
  readonly place: Place;
  readonly columns: number;
}

/** How many quads a row of `columns` columns takes. */
export const quadsOf = (columns: number): number => Math.ceil(columns / 4);
/** How many numbers a row of `columns` columns takes, padding included. */
export const padded = (columns: number): number => 4 * quadsOf(columns);

/** The factors of a product, its sizes, and what its epilogue needs. */
export interface Factors<B extends Bindings, W extends string> {
  readonly lefts: readonly Matrix[];
  readonly rights: readonly Matrix[];
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly places: Places<B>;
  readonly words: Words<W>;
}

/** Records a product. Few rows are computed by the kernel that reads the weights once (rows-kernel.ts), others in tiles. */
export function multiply<B extends Bindings, W extends string>(
  call: Call,
  product: Product<B, W>,
  factors: Factors<B, W>,
): void {
  const { lefts, rights, rows, columns, inner, places, words } = factors;
  if (rows === 0) return;
  const stride = ([first]: readonly Matrix[]): number => quadsOf((first as Matrix).columns);
  const streamed = rows <= mostStreamedRows && product.lefts === "outer" && product.rights === "inner";
  call.run(
    streamed ? rowsKernel(product, rows, call.gpu.smallestSubgroup) : tileKernel(product, tileRows(rows)),
    // The compiler does not derive that places for two sets of bindings are places for their union.
    { lefts: lefts.map(({ place }) => place), rights: rights.map(({ place }) => place), ...places } as Places<
      ReturnType<typeof productSignature<B, W>>["bindings"]
    >,
    { rows, columns, inner, leftStride: stride(lefts), rightStride: stride(rights), ...words },
    streamed
      ? [Math.ceil(columns / (4 * streamedQuads(product.storage)))]
      : [Math.ceil(columns / tileColumns), Math.ceil(rows / tileRows(rows))],
  );
}
