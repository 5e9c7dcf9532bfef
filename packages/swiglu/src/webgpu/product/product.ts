// Matrix products on the GPU: matrices in its memory, and which kernel computes a product.
import type { Place } from "../device/buffers.js";
import type { Call } from "../device/call.js";
import type { Bindings, Places, Words } from "../device/signature.js";
import { mostStreamedRows, rowsKernel, streamedQuads } from "./rows-kernel.js";
import { type Product, type productSignature, tileColumns, tileKernel, tileRows } from "./tile-kernel.js";

/** A row-major matrix whose rows start at whole vectors of four numbers; what a row has behind its columns is zero. */
export interface Matrix {
  readonly place: Place;
  readonly columns: number;
}

/** Vectors of four numbers that so many columns take. */
export const quadsOf = (columns: number): number => Math.ceil(columns / 4);
/** Numbers that a row of so many columns takes. */
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

/** Records a product. */
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
    // The compiler does not see that places for two sets of bindings are places for both together.
    { lefts: lefts.map(({ place }) => place), rights: rights.map(({ place }) => place), ...places } as Places<
      ReturnType<typeof productSignature<B, W>>["bindings"]
    >,
    { rows, columns, inner, leftStride: stride(lefts), rightStride: stride(rights), ...words },
    streamed
      ? [Math.ceil(columns / (4 * streamedQuads(product.storage)))]
      : [Math.ceil(columns / tileColumns), Math.ceil(rows / tileRows(rows))],
  );
}
