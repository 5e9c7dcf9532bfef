// A matrix with rows and columns exchanged, block by block, so that what is read and what is written both stay in the cache.

/** The typed arrays that a matrix may be in. */
type Matrix =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Uint16Array
  | Int16Array
  | Uint8Array
  | Int8Array;

const constructors: Readonly<Record<string, new (length: number) => Matrix>> = {
  Float32Array,
  Float64Array,
  Int32Array,
  Uint32Array,
  Uint16Array,
  Int16Array,
  Uint8Array,
  Int8Array,
};

/** Rows and columns of a block: 32 lines of 64 bytes fit into the smallest cache. */
const block = 32;

/**
 * A row-major [rows, columns] matrix as [columns, rows], in a new array of the same type. `torch.nn.Linear` keeps its weights
 * [out, in], and weights here are [in, out]. Throws a TypeError for what is no typed array, a RangeError where the matrix does not
 * have rows * columns elements.
 *
 * @example
 * transpose(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3) // Float32Array [1, 4, 2, 5, 3, 6]
 */
export function transpose<M extends Matrix>(matrix: M, rows: number, columns: number): M {
  const type: unknown = ArrayBuffer.isView(matrix) ? Reflect.get(matrix, Symbol.toStringTag) : undefined;
  const array =
    typeof type === "string" && Object.hasOwn(constructors, type) ? constructors[type] : undefined;
  if (!array)
    throw new TypeError(
      `matrix is ${type === undefined ? typeof matrix : String(type)}, expected a Float32Array or another typed array of numbers`,
    );
  for (const [name, size] of Object.entries({ rows, columns }))
    if (!Number.isSafeInteger(size) || size < 0)
      throw new RangeError(`${name} is ${String(size)}, expected a whole number, 0 or more`);
  if (matrix.length !== rows * columns)
    throw new RangeError(`matrix has ${matrix.length} elements, expected ${rows} rows of ${columns}`);
  const result = new array(matrix.length);
  for (let row = 0; row < rows; row += block)
    for (let column = 0; column < columns; column += block)
      transposeBlock(matrix, result, rows, columns, row, column);
  return result as M;
}

function transposeBlock(
  from: Matrix,
  to: Matrix,
  rows: number,
  columns: number,
  firstRow: number,
  firstColumn: number,
): void {
  const lastRow = Math.min(firstRow + block, rows);
  const lastColumn = Math.min(firstColumn + block, columns);
  for (let column = firstColumn; column < lastColumn; column++) {
    let source = firstRow * columns + column;
    const begin = column * rows;
    for (let row = firstRow; row < lastRow; row++) {
      to[begin + row] = from[source] as number;
      source += columns;
    }
  }
}
