// Analysis of variance of variants in blocks: every variant once in every block, a block being a seed.
import fCdf from "@stdlib/stats-base-dists-f-cdf";
import { meanOf } from "./estimate.js";

interface Source {
  readonly sumOfSquares: number;
  readonly df: number;
  readonly meanSquare: number;
}

interface TestedSource extends Source {
  /** Mean square over that of the residual; null where nothing is left over. */
  readonly f: number | null;
  readonly p: number;
}

export interface Anova {
  readonly variants: TestedSource;
  readonly blocks: TestedSource;
  /** What neither explains: its mean square is the variance of a single run within its block. */
  readonly residual: Source;
}

/**
 * Two-way analysis of variance without replication, y(i, j) = mean + block(i) + variant(j) + residual(i, j): with b blocks and
 * v variants SS(variants) = b sum over j of (mean(j) - mean)^2, df v - 1; likewise for blocks; residual df (b - 1)(v - 1).
 * (Fisher 1925; R: `aov(y ~ variant + block)`.)
 *
 * @param values one row per block, one column per variant
 * @throws RangeError with fewer than two rows or columns, or rows that differ in length
 * @example anova([[1, 2], [2, 4], [3, 6]]).variants.f // 12
 */
export function anova(values: readonly (readonly number[])[]): Anova {
  const [b, v] = [values.length, values[0]?.length ?? 0];
  if (b < 2 || v < 2 || values.some((row) => row.length !== v))
    throw new RangeError(
      `values has rows of ${values.map(({ length }) => length).join(", ")} values: expected two or more rows of the same two or more.`,
    );
  const rowMeans = values.map(meanOf);
  const columnMeans = values[0]!.map((_, j) => meanOf(values.map((row) => row[j]!)));
  const mean = meanOf(rowMeans);
  const residual = source(
    values.flatMap((row, i) => row.map((value, j) => value - rowMeans[i]! - columnMeans[j]! + mean)),
    1,
    (b - 1) * (v - 1),
  );
  const tested = (means: readonly number[], repeats: number): TestedSource => {
    const own = source(
      means.map((each) => each - mean),
      repeats,
      means.length - 1,
    );
    if (residual.meanSquare === 0) return { ...own, f: null, p: own.meanSquare > 0 ? 0 : 1 };
    const f = own.meanSquare / residual.meanSquare;
    return { ...own, f, p: 1 - fCdf(f, own.df, residual.df) };
  };
  return { variants: tested(columnMeans, b), blocks: tested(rowMeans, v), residual };
}

function source(deviations: readonly number[], repeats: number, df: number): Source {
  const sumOfSquares = repeats * deviations.reduce((sum, each) => sum + each ** 2, 0);
  return { sumOfSquares, df, meanSquare: sumOfSquares / df };
}
