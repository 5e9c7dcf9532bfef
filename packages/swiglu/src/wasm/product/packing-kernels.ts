// Kernels that copy between row-major matrices and the panels of a product, and one that sums over rows.
// They copy four numbers at a time; the strides decide which panels come out. All addresses and strides are in bytes.
//
//     copy            row r:  | q0 | q1 | q2 | ...  ->  q0 of all rows, then q1 of all rows    (a quad q is 4 numbers)
//
//     panels32        row r:  | 8 columns | 8 columns | 8 columns | 8 columns |     four panels at a time, whose
//                                panel 0     panel 1     panel 2     panel 3        rows are 8 numbers
//
//     panels16        row r of gate:  | q0 | q1 | q2 | q3 |     panel p: quad p of gate, then quad p of up
//                     row r of up:    | q0 | q1 | q2 | q3 |
//
//     transposeRows   eight rows of the source become the eight columns of a panel
//     transpose       the same between panels, in blocks of 4 x 4
//     columns         six columns of the source become a left panel in the order `columns`
import type { Code } from "../assembler/code.js";
import { f64x2, i8x16, i32, i32x4, v128 } from "../assembler/instructions.js";
import type { Local, ModuleBuilder } from "../assembler/module.js";
import { addKernel, kernel } from "../machine/signature.js";
import { advance, times } from "./product-kernel.js";

/** Adds all kernels of this file to a module. */
export function addPacking(module: ModuleBuilder): void {
  addCopy(module);
  addPanels(module, 16);
  addPanels(module, 32);
  addTransposeRows(module);
  addTranspose(module);
  addColumns(module);
  addSums(module);
}

/** For each row and each quad in it, copies the quad. */
export const copyKernel = kernel("copy", {
  from: "i32",
  fromRow: "i32",
  fromQuad: "i32",
  to: "i32",
  toRow: "i32",
  toQuad: "i32",
  rows: "i32",
  quads: "i32",
});

function addCopy(module: ModuleBuilder): void {
  addKernel(module, copyKernel, (body, { from, fromRow, fromQuad, to, toRow, toQuad, rows, quads }) => {
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
 * Packs panels of eight columns, four panels at a time. The rows of a panel are 32 bytes apart. The halves of the first panel
 * come from the addresses `first` and `second`; for each next panel both are `step` bytes further.
 */
export const panelsKernel = (step: 16 | 32) =>
  kernel(`panels${step}`, {
    first: "i32",
    second: "i32",
    fromRow: "i32",
    to: "i32",
    toPanel: "i32",
    groups: "i32",
    rows: "i32",
  });

function addPanels(module: ModuleBuilder, step: 16 | 32): void {
  addKernel(module, panelsKernel(step), (body, { first, second, fromRow, to, toPanel, groups, rows }) => {
    const [a, b, row, group] = [0, 1, 2, 3].map(() => body.local("i32")) as Counters;
    const targets = [0, 1, 2, 3].map(() => body.local("i32")) as Counters;
    return times(group, groups.get(), [
      a.set(first.get()),
      b.set(second.get()),
      ...targets.flatMap((target) => [target.set(to.get()), advance(to, toPanel.get())]),
      ...times(row, rows.get(), [
        ...targets.flatMap((target, i) => [
          v128.store(target.get(), v128.load(a.get(), step * i)),
          v128.store(target.get(), v128.load(b.get(), step * i), 16),
          advance(target, i32.const(32)),
        ]),
        advance(a, fromRow.get()),
        advance(b, fromRow.get()),
      ]),
      advance(first, i32.const(4 * step)),
      advance(second, i32.const(4 * step)),
    ]);
  });
}

const bytes = (...words: number[]): number[] =>
  words.flatMap((w) => [4 * w, 4 * w + 1, 4 * w + 2, 4 * w + 3]);

/** Transposes the 4 x 4 numbers of four vectors. The steps set the four `pairs`, from which the results come. */
function transposed(rows: readonly Local<"v128">[], pairs: readonly Local<"v128">[]) {
  const mixed = (from: readonly Local<"v128">[], a: number, b: number, words: number[]): Code<"v128"> =>
    i8x16.shuffle((from[a] as Local<"v128">).get(), (from[b] as Local<"v128">).get(), bytes(...words));
  const sources = [
    mixed(rows, 0, 1, [0, 4, 1, 5]),
    mixed(rows, 2, 3, [0, 4, 1, 5]),
    mixed(rows, 0, 1, [2, 6, 3, 7]),
    mixed(rows, 2, 3, [2, 6, 3, 7]),
  ];
  return {
    steps: pairs.map((pair, i) => pair.set(sources[i] as Code<"v128">)),
    results: [
      mixed(pairs, 0, 1, [0, 1, 4, 5]),
      mixed(pairs, 0, 1, [2, 3, 6, 7]),
      mixed(pairs, 2, 3, [0, 1, 4, 5]),
      mixed(pairs, 2, 3, [2, 3, 6, 7]),
    ],
  };
}

/**
 * Packs the transpose of row-major data: eight rows become the eight columns of a panel, whose rows are 32 bytes apart. A block
 * is four columns of the source; in the panel the next block begins `toStep` bytes further.
 */
export const transposeRowsKernel = kernel("transposeRows", {
  from: "i32",
  fromRow: "i32",
  to: "i32",
  toStep: "i32",
  toPanel: "i32",
  panels: "i32",
  blocks: "i32",
});

function addTransposeRows(module: ModuleBuilder): void {
  addKernel(module, transposeRowsKernel, (body, { from, fromRow, to, toStep, toPanel, panels, blocks }) => {
    const [target, panel, block] = [0, 1, 2].map(() => body.local("i32")) as Counters;
    const sources = Array.from({ length: 8 }, () => body.local("i32"));
    const rows = [0, 1, 2, 3].map(() => body.local("v128"));
    const pairs = [0, 1, 2, 3].map(() => body.local("v128"));
    const { steps, results } = transposed(rows, pairs);
    return times(panel, panels.get(), [
      ...sources.flatMap((source) => [source.set(from.get()), advance(from, fromRow.get())]),
      target.set(to.get()),
      ...times(block, blocks.get(), [
        ...[0, 1].flatMap((half) => [
          ...rows.map((row, r) => row.set(v128.load((sources[4 * half + r] as Local<"i32">).get()))),
          ...steps,
          ...results.map((result, r) => v128.store(target.get(), result, 32 * r + 16 * half)),
        ]),
        ...sources.map((source) => advance(source, i32.const(16))),
        advance(target, toStep.get()),
      ]),
      advance(to, toPanel.get()),
    ]);
  });
}

/**
 * Transposes blocks of 4 x 4 numbers: `outer` times `inner` of them. The rows of a block are 32 bytes apart in the source and in
 * the target, as they are in panels of eight columns.
 */
export const transposeKernel = kernel("transpose", {
  from: "i32",
  fromOuter: "i32",
  fromInner: "i32",
  to: "i32",
  toOuter: "i32",
  toInner: "i32",
  outer: "i32",
  inner: "i32",
});

function addTranspose(module: ModuleBuilder): void {
  addKernel(
    module,
    transposeKernel,
    (body, { from, fromOuter, fromInner, to, toOuter, toInner, outer, inner }) => {
      const [source, target, i, j] = [0, 1, 2, 3].map(() => body.local("i32")) as Counters;
      const rows = [0, 1, 2, 3].map(() => body.local("v128"));
      const pairs = [0, 1, 2, 3].map(() => body.local("v128"));
      const { steps, results } = transposed(rows, pairs);
      return times(i, outer.get(), [
        source.set(from.get()),
        target.set(to.get()),
        ...times(j, inner.get(), [
          ...rows.map((row, r) => row.set(v128.load(source.get(), 32 * r))),
          ...steps,
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

/** Packs row-major data into panels of six columns. Each panel is [rows][6]. */
export const columnsKernel = kernel("columns", {
  from: "i32",
  fromRow: "i32",
  to: "i32",
  rows: "i32",
  panels: "i32",
});

function addColumns(module: ModuleBuilder): void {
  addKernel(module, columnsKernel, (body, { from, fromRow, to, rows, panels }) => {
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

/** Sums each column over the rows, in float64. The eight sums of a panel are consecutive. */
export const sumsKernel = kernel("sums", {
  from: "i32",
  fromRow: "i32",
  fromPanel: "i32",
  to: "i32",
  rows: "i32",
  panels: "i32",
});

function addSums(module: ModuleBuilder): void {
  addKernel(module, sumsKernel, (body, { from, fromRow, fromPanel, to, rows, panels }) => {
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
  });
}
