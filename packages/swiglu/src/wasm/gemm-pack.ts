// Copies between row-major matrices and the panels of a product, in units of four numbers, and sums over rows.
// All are strided copies: which panels come out is decided by the strides.
import type { Code } from "./assembler/code.js";
import { f64x2, i8x16, i32, i32x4, v128 } from "./assembler/instructions.js";
import type { Local, ModuleBuilder } from "./assembler/module.js";
import { advance, times } from "./gemm-kernels.js";

const eight = ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"] as const;

/** Adds all kernels of this file. */
export function addPacking(module: ModuleBuilder): void {
  addCopy(module);
  addTranspose(module);
  addColumns(module);
  addSums(module);
}

/**
 * `copy(from, fromRow, fromQuad, to, toRow, toQuad, rows, quads)`: for each row and each group of four numbers in it, copies
 * the four. Addresses and steps are in bytes.
 */
function addCopy(module: ModuleBuilder): void {
  module.function("copy", eight, (body, from, fromRow, fromQuad, to, toRow, toQuad, rows, quads) => {
    const [source, target, row, quad] = [0, 1, 2, 3].map(() => body.local("i32")) as Counters;
    return times(row, rows.get(), [
      source.set(from.get()),
      target.set(to.get()),
      ...times(quad, quads.get(), [
        v128.store(target.get(), v128.load(source.get())),
        advance(source, fromQuad.get()),
        advance(target, toQuad.get()),
      ]),
      advance(from, fromRow.get()),
      advance(to, toRow.get()),
    ]);
  });
}

type Counters = [Local<"i32">, Local<"i32">, Local<"i32">, Local<"i32">];

/**
 * `transpose(from, fromOuter, fromInner, to, toOuter, toInner, outer, inner)`: transposes blocks of 4 x 4 whose rows are 32
 * bytes apart on both sides, as in panels of eight columns. `outer` times `inner` blocks, with the given steps.
 */
function addTranspose(module: ModuleBuilder): void {
  module.function(
    "transpose",
    eight,
    (body, from, fromOuter, fromInner, to, toOuter, toInner, outer, inner) => {
      const [source, target, i, j] = [0, 1, 2, 3].map(() => body.local("i32")) as Counters;
      const rows = [0, 1, 2, 3].map(() => body.local("v128"));
      const pairs = [0, 1, 2, 3].map(() => body.local("v128"));
      const bytes = (...words: number[]): number[] =>
        words.flatMap((w) => [4 * w, 4 * w + 1, 4 * w + 2, 4 * w + 3]);
      const mixed = (from: readonly Local<"v128">[], a: number, b: number, lanes: number[]): Code<"v128"> =>
        i8x16.shuffle((from[a] as Local<"v128">).get(), (from[b] as Local<"v128">).get(), lanes);
      const [low, high] = [bytes(0, 4, 1, 5), bytes(2, 6, 3, 7)];
      const [first, second] = [bytes(0, 1, 4, 5), bytes(2, 3, 6, 7)];
      const sources = [
        mixed(rows, 0, 1, low),
        mixed(rows, 2, 3, low),
        mixed(rows, 0, 1, high),
        mixed(rows, 2, 3, high),
      ];
      const results = [
        mixed(pairs, 0, 1, first),
        mixed(pairs, 0, 1, second),
        mixed(pairs, 2, 3, first),
        mixed(pairs, 2, 3, second),
      ];
      return times(i, outer.get(), [
        source.set(from.get()),
        target.set(to.get()),
        ...times(j, inner.get(), [
          ...rows.map((row, r) => row.set(v128.load(source.get(), 32 * r))),
          ...pairs.map((pair, p) => pair.set(sources[p] as Code<"v128">)),
          ...results.map((result, r) => v128.store(target.get(), result, 32 * r)),
          advance(source, fromInner.get()),
          advance(target, toInner.get()),
        ]),
        advance(from, fromOuter.get()),
        advance(to, toOuter.get()),
      ]);
    },
  );
}

/** `columns(from, fromRow, to, rows, panels)`: packs row-major data into panels [rows][6] of six columns each. */
function addColumns(module: ModuleBuilder): void {
  module.function("columns", ["i32", "i32", "i32", "i32", "i32"], (body, from, fromRow, to, rows, panels) => {
    const [source, row, panel] = [0, 1, 2].map(() => body.local("i32")) as Counters;
    return times(panel, panels.get(), [
      source.set(from.get()),
      ...times(row, rows.get(), [
        v128.store(to.get(), v128.load(source.get())),
        v128.store64_lane(to.get(), v128.load64_zero(source.get(), 16), 0, 16),
        advance(source, fromRow.get()),
        advance(to, i32.const(24)),
      ]),
      advance(from, i32.const(24)),
    ]);
  });
}

/**
 * `sums(from, fromRow, fromPanel, to, rows, panels)`: sums each column over rows, in float64. A panel is eight columns; its
 * eight sums are consecutive.
 */
function addSums(module: ModuleBuilder): void {
  module.function(
    "sums",
    ["i32", "i32", "i32", "i32", "i32", "i32"],
    (body, from, fromRow, fromPanel, to, rows, panels) => {
      const [source, row, panel] = [0, 1, 2].map(() => body.local("i32")) as Counters;
      const totals = [0, 1, 2, 3].map(() => body.local("v128"));
      const value = body.local("v128");
      const upper = [8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0, 0, 0, 0, 0, 0];
      return times(panel, panels.get(), [
        source.set(from.get()),
        ...totals.map((total) => total.set(i32x4.splat(i32.const(0)))),
        ...times(row, rows.get(), [
          ...totals.flatMap((total, i) => [
            ...(i % 2 === 0 ? [value.set(v128.load(source.get(), 8 * i))] : []),
            total.set(
              f64x2.add(
                total.get(),
                f64x2.promote_low_f32x4(
                  i % 2 === 0 ? value.get() : i8x16.shuffle(value.get(), value.get(), upper),
                ),
              ),
            ),
          ]),
          advance(source, fromRow.get()),
        ]),
        ...totals.map((total, i) => v128.store(to.get(), total.get(), 16 * i)),
        advance(from, fromPanel.get()),
        advance(to, i32.const(64)),
      ]);
    },
  );
}
