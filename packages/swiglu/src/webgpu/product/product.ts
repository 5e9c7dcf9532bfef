// Matrix products on the GPU: matrices in its memory, and which kernel computes a product.
import type { Place } from "../device/buffers.js";
import type { Call } from "../device/call.js";
import { mostStreamedRows, rowsKernel, streamedQuads } from "./rows-kernel.js";
import { leftCount, type Product, rightCount, tileColumns, tileKernel, tileRows } from "./tile-kernel.js";

/** A row-major matrix whose rows start at whole vectors of four numbers; what a row has behind its columns is zero. */
export interface Matrix {
  readonly place: Place;
  readonly columns: number;
}

/** Vectors of four numbers that so many columns take. */
export const quadsOf = (columns: number): number => Math.ceil(columns / 4);
/** Numbers that a row of so many columns takes. */
export const padded = (columns: number): number => 4 * quadsOf(columns);

/** The operands of a product, its sizes, and what its epilogue needs. */
export interface Operands {
  readonly lefts: readonly Matrix[];
  readonly rights: readonly Matrix[];
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly places: readonly Place[];
  readonly words: readonly number[];
}

/** Records a product. */
export function multiply(call: Call, product: Product, operands: Operands): void {
  const { lefts, rights, rows, columns, inner, places, words } = operands;
  if (rows === 0) return;
  if (lefts.length !== leftCount(product) || rights.length !== rightCount(product))
    throw new Error(`this product takes ${leftCount(product)} and ${rightCount(product)} operands`);
  const stride = ([first]: readonly Matrix[]): number => quadsOf((first as Matrix).columns);
  const streamed = rows <= mostStreamedRows && product.lefts === "outer" && product.rights === "inner";
  call.run(
    streamed ? rowsKernel(product, rows, call.gpu.smallestSubgroup) : tileKernel(product, tileRows(rows)),
    [...lefts.map(({ place }) => place), ...rights.map(({ place }) => place), ...places],
    [rows, columns, inner, stride(lefts), stride(rights), ...words],
    streamed
      ? [Math.ceil(columns / (4 * streamedQuads(product.storage)))]
      : [Math.ceil(columns / tileColumns), Math.ceil(rows / tileRows(rows))],
  );
}
