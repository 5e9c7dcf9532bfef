// Transposed matrices: every element at its place, whatever the sizes and the type; quickly; and the sentences for mistakes.
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { transpose } from "../src/index.js";
import { slowExtent } from "./conformance/extent.js";

/** By definition: row r and column c change places. The function that docs/porting.md had. */
function byDefinition(matrix: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(matrix, (_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)] as number);
}
const counting = (count: number) => Float32Array.from({ length: count }, (_, i) => i + 0.5);

test.each([
  [0, 5],
  [1, 1],
  [1, 100],
  [100, 1],
  [31, 33],
  [32, 64],
  [65, 127],
])("%d x %d", (rows, columns) => {
  const matrix = counting(rows * columns);
  const there = transpose(matrix, rows, columns);
  expect(there).toEqual(byDefinition(matrix, rows, columns));
  expect(transpose(there, columns, rows)).toEqual(matrix);
});

test("the type of the array is kept, also from another realm", () => {
  for (const type of [Float64Array, Int32Array, Uint32Array, Uint16Array, Int16Array, Uint8Array, Int8Array])
    expect(transpose(type.of(1, 2, 3, 4, 5, 6), 2, 3)).toEqual(type.of(1, 4, 2, 5, 3, 6));
  const foreign = runInNewContext("Float32Array.of(1, 2, 3, 4)") as Float32Array;
  expect(transpose(foreign, 2, 2)).toEqual(Float32Array.of(1, 3, 2, 4));
});

describe("mistakes get a sentence", () => {
  test.each([
    [[1, 2], 1, 2, /^matrix is object, expected a Float32Array/],
    [new BigInt64Array(2), 1, 2, /^matrix is BigInt64Array, expected/],
    [new Float32Array(6), 2, 2, /^matrix has 6 elements, expected 2 rows of 2/],
    [new Float32Array(6), -2, -3, /^rows is -2, expected a whole number/],
    [new Float32Array(6), 4, 1.5, /^columns is 1.5, expected a whole number/],
  ])("%o as %d x %d", (matrix, rows, columns, sentence) => {
    expect(() => transpose(matrix as Float32Array, rows, columns)).toThrow(sentence);
  });
});

test("at least 10 times as fast as element by element", () => {
  const [rows, columns] = [2048, 2752];
  const matrix = counting(rows * columns);
  const time = (f: typeof byDefinition): number => {
    const start = performance.now();
    f(matrix, rows, columns);
    return performance.now() - start;
  };
  for (let i = 0; i < 3; i++) transpose(counting(64 * 64), 64, 64);
  // The quickest of some, as others run on this machine too.
  const ours = Math.min(...[1, 2, 3, 4, 5].map(() => time(transpose)));
  expect(time(byDefinition) / ours).toBeGreaterThan(10);
});

test.runIf(slowExtent === "full")(
  "2^30 elements (in the full run only: it takes 8 GiB)",
  { timeout: 600_000 },
  () => {
    const matrix = new Float32Array(2 ** 30);
    const [rows, columns] = [2 ** 14, 2 ** 16];
    for (const [row, column] of [
      [0, 1],
      [rows - 1, columns - 1],
      [12345, 54321],
    ] as const)
      matrix[row * columns + column] = row + column;
    const there = transpose(matrix, rows, columns);
    for (const [row, column] of [
      [0, 1],
      [rows - 1, columns - 1],
      [12345, 54321],
    ] as const)
      expect(there[column * rows + row]).toBe(row + column);
  },
);
