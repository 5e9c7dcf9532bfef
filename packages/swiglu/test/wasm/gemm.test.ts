// Matrix products on packed panels against float64 loops: every tile height, both layouts of the left factor, sums that are
// taken in blocks and in stretches, several groups, and nothing written outside the output.
import { describe, expect, test } from "vitest";
import { type Engine, SingleThreadEngine } from "../../src/wasm/machine/engine.js";
import { chooseSimd } from "../../src/wasm/machine/features.js";
import { readMatrix } from "../../src/wasm/product/matrix-copy.js";
import {
  columnSums,
  packColumns,
  packLeft,
  packRight,
  packTransposed,
} from "../../src/wasm/product/packing.js";
import { padded, product, rowMajor, tileRows, wholeTiles } from "../../src/wasm/product/product.js";
import { expectArrayClose } from "../conformance/expect.js";
import { plainFloats } from "../conformance/samples.js";

const canary = 12345.678;

/** An engine that divides work as if it had threads, and runs it on one. */
function engineFor(threads: number): Engine {
  const engine = new SingleThreadEngine(chooseSimd());
  return Object.assign(engine, { threads });
}

/** Room for a matrix of whole tiles, with canaries on both sides. */
function guarded(engine: Engine, count: number): { address: number; check(): void } {
  const all = engine.heap.allocate(count + 32);
  engine.heap.at(all, count + 32).fill(Math.fround(canary));
  return {
    address: all + 64,
    check() {
      const sides = [...engine.heap.at(all, 16), ...engine.heap.at(all + 4 * (count + 16), 16)];
      expect(sides).toEqual(sides.map(() => Math.fround(canary)));
    },
  };
}

/** A matrix in the heap with padded rows. */
function place(engine: Engine, data: Float32Array, rows: number, columns: number, allRows = rows): number {
  const width = padded(columns);
  const address = engine.heap.allocate(allRows * width + 8);
  engine.heap.at(address, allRows * width + 8).fill(0);
  for (let row = 0; row < rows; row++)
    engine.heap.at(address + 4 * width * row, columns).set(data.subarray(row * columns, (row + 1) * columns));
  return address;
}

function plainProduct(
  rows: number,
  inner: number,
  columns: number,
  a: (row: number, k: number) => number,
  b: (k: number, column: number) => number,
): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += a(row, k) * b(k, column);
    return sum;
  });
}

describe("matrix products on packed panels", () => {
  const sizes = [
    [1, 1, 1],
    [1, 37, 19],
    [2, 64, 24],
    [3, 5, 7],
    [4, 100, 31],
    [5, 13, 8],
    [6, 8, 8],
    [31, 29, 37],
    [64, 521, 40],
    [13, 2053, 17],
  ] as const;
  for (const [m, k, n] of sizes)
    for (const threads of [1, 3])
      test(`${m}x${k}x${n} in groups for ${threads}: within 1e-6 of the largest, nothing outside`, () => {
        const engine = engineFor(threads);
        const [a, b] = [plainFloats(m * k, 1), plainFloats(k * n, 2)];
        const width = padded(k);
        const left = packLeft(
          engine,
          place(engine, a, m, k),
          m,
          width,
          engine.heap.allocate(wholeTiles(m) * width),
        );
        const rightRoom = guarded(engine, width * padded(n));
        const right = packRight(engine, [place(engine, b, k, n, width)], width, padded(n), rightRoom.address);
        rightRoom.check();
        const out = guarded(engine, wholeTiles(m) * padded(n));
        const start = rowMajor(out.address, padded(n));
        engine.heap.at(out.address, wholeTiles(m) * padded(n)).fill(0.5);
        product(engine, { left, right, start, out: start });
        out.check();
        const exact = plainProduct(
          m,
          k,
          n,
          (row, i) => a[row * k + i] as number,
          (i, column) => b[i * n + column] as number,
        ).map((value) => value + 0.5);
        expectArrayClose(readMatrix(engine, out.address, m, n), exact, 1e-6, "left right");

        // The transposed operands give the products of the gradients: (a b) bᵀ and aᵀ (a b).
        const c = readMatrix(engine, out.address, m, n);
        const cPlace = place(engine, c, m, n);
        const turned = packTransposed(engine, right, guardedRoom(engine, padded(n) * width));
        const cLeft = packLeft(engine, cPlace, m, padded(n), engine.heap.allocate(wholeTiles(m) * padded(n)));
        const dA = guarded(engine, wholeTiles(m) * width);
        const zero = engine.heap.allocate(8);
        engine.heap.at(zero, 8).fill(0);
        const nothing = { base: zero, row: 0, panel: 0, half: 16 };
        product(engine, { left: cLeft, right: turned, start: nothing, out: rowMajor(dA.address, width) });
        dA.check();
        expectArrayClose(
          readMatrix(engine, dA.address, m, k),
          plainProduct(
            m,
            n,
            k,
            (row, i) => c[row * n + i] as number,
            (i, column) => b[column * n + i] as number,
          ),
          1e-6,
          "with the right factor transposed",
        );

        const tall = Math.ceil(k / tileRows) * tileRows;
        const columns = packColumns(
          engine,
          place(engine, a, m, k),
          m,
          k,
          width,
          guardedRoom(engine, tall * m),
        );
        const cRight = packRight(engine, [cPlace], m, padded(n), guardedRoom(engine, m * padded(n)));
        const dB = guarded(engine, tall * padded(n));
        product(engine, {
          left: columns,
          right: cRight,
          start: nothing,
          out: rowMajor(dB.address, padded(n)),
        });
        dB.check();
        expectArrayClose(
          readMatrix(engine, dB.address, k, n),
          plainProduct(
            k,
            m,
            n,
            (row, i) => a[i * k + row] as number,
            (i, column) => c[i * n + column] as number,
          ),
          1e-6,
          "with the left factor transposed",
        );
        for (const check of checks.splice(0)) check();
      });

  /** Room with canaries that are checked at the end of the test. */
  const checks: (() => void)[] = [];
  function guardedRoom(engine: Engine, count: number): number {
    const { address, check } = guarded(engine, count);
    checks.push(check);
    return address;
  }

  test("sums over rows are those of float64, where float32 would lose half of the terms", () => {
    const engine = engineFor(2);
    const [rows, columns] = [5000, 24];
    const values = Float32Array.from({ length: rows * columns }, (_, i) => (i < columns ? 2 ** 24 : 0.5));
    const at = place(engine, values, rows, columns);
    const scratch = guardedRoom(engine, 2 * columns);
    const sums = columnSums(engine, rowMajor(at, columns), rows, columns / 8, scratch);
    expect([...sums]).toEqual(Array(columns).fill(2 ** 24 + (rows - 1) / 2));
    for (const check of checks.splice(0)) check();
  });
});
