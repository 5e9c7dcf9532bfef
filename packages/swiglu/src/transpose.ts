// Exchanges the rows and columns of a matrix, block by block, so that both the block that is read and that which is written are in
// the cache.

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

/** The rows and columns of a block. It fits into a first-level cache, and a row of it fills at least a cache line. */
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
  const [from, to] = [bits(matrix), bits(result)];
  const scratch = bits(new array(block * block));
  for (let row = 0; row < rows; row += block)
    for (let column = 0; column < columns; column += block)
      transposeBlock(from, to, rows, columns, row, column, scratch);
  return result as M;
}

type Bits = Uint8Array | Uint16Array | Int32Array | Float64Array;

/** The elements as one of four array types by their size, so that the engine compiles four loops instead of eight. */
function bits({ buffer, byteOffset, length, BYTES_PER_ELEMENT }: Matrix): Bits {
  const array = { 1: Uint8Array, 2: Uint16Array, 4: Int32Array, 8: Float64Array }[BYTES_PER_ELEMENT];
  return new (array as typeof Int32Array)(buffer, byteOffset, length);
}

/**
 * Transposes one block by way of `scratch`, so that each cache line of the matrix and of the result is used once. Rows that are a
 * power of two apart would otherwise displace each other from the cache.
 */
function transposeBlock(
  from: Bits,
  to: Bits,
  rows: number,
  columns: number,
  firstRow: number,
  firstColumn: number,
  scratch: Bits,
): void {
  const height = Math.min(block, rows - firstRow);
  const width = Math.min(block, columns - firstColumn);
  for (let row = 0; row < height; row++) {
    const begin = (firstRow + row) * columns + firstColumn;
    for (let column = 0; column < width; column++)
      scratch[column * block + row] = from[begin + column] as number;
  }
  for (let column = 0; column < width; column++) {
    const begin = (firstColumn + column) * rows + firstRow;
    for (let row = 0; row < height; row++) to[begin + row] = scratch[column * block + row] as number;
  }
}
