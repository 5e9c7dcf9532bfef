// Matrix products in float64 for the reference: y = x W + b and its three gradients, as plain loops over row-major arrays.

/** `x W + b` for x [rows, inner], W [inner, columns], b [columns] or absent. */
export function linear(
  x: ArrayLike<number>,
  weight: Float32Array,
  bias: Float32Array | undefined,
  [rows, inner, columns]: readonly [number, number, number],
): Float64Array {
  const y = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < inner; k++) {
      const factor = x[r * inner + k] as number;
      for (let c = 0; c < columns; c++) y[r * columns + c]! += factor * (weight[k * columns + c] as number);
    }
    if (bias) for (let c = 0; c < columns; c++) y[r * columns + c]! += bias[c] as number;
  }
  return y;
}

/** Adds `dy Wᵀ` to dx [rows, inner]. */
export function addInputGradient(
  dx: Float64Array,
  dy: ArrayLike<number>,
  weight: Float32Array,
  [rows, inner, columns]: readonly [number, number, number],
): void {
  for (let r = 0; r < rows; r++)
    for (let k = 0; k < inner; k++) {
      let sum = 0;
      for (let c = 0; c < columns; c++)
        sum += (dy[r * columns + c] as number) * (weight[k * columns + c] as number);
      dx[r * inner + k]! += sum;
    }
}

/** `xᵀ dy`, [inner, columns]: the gradient of the weight. */
export function weightGradient(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  [rows, inner, columns]: readonly [number, number, number],
): Float64Array {
  const dw = new Float64Array(inner * columns);
  for (let r = 0; r < rows; r++)
    for (let k = 0; k < inner; k++) {
      const factor = x[r * inner + k] as number;
      for (let c = 0; c < columns; c++) dw[k * columns + c]! += factor * (dy[r * columns + c] as number);
    }
  return dw;
}

/** The sum of dy [rows, columns] over rows: the gradient of the bias. */
export function biasGradient(dy: ArrayLike<number>, columns: number): Float64Array {
  const db = new Float64Array(columns);
  for (let i = 0; i < dy.length; i++) db[i % columns]! += dy[i] as number;
  return db;
}
