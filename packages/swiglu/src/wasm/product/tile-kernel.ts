// The inner part of every matrix product: a tile of sums in registers, computed from one packed panel of each factor.
// Also the streams through which tiles are read from matrices and written to them.
//
//          left panel              right panel              tile of sums
//              k                   8 columns                 8 columns
//        +-------------+        +-------+-------+        +-------+-------+
//      6 |             |        |       |       |        |       |       |   a half is 4 columns: one vector,
//   rows |             |   x  k |half 0 |half 1 |   =  6 |half 0 |half 1 |   so the tile is 6 x 2 vectors
//        |             |        |       |       |        |       |       |
//        +-------------+        +-------+-------+        +-------+-------+
//
// Two orders of a left panel in memory. `a12` is row 1 at position 2 along k; a quad is four numbers along k.
//
//     quads     a00 a01 a02 a03 | a10 a11 a12 a13 | ... | a50 a51 a52 a53 | a04 a05 a06 a07 | a14 ...
//     columns   a00 a10 a20 a30 a40 a50 | a01 a11 a21 a31 a41 a51 | a02 ...
//
// A stream says where each row of each column panel of a matrix is, by distances in bytes:
//
//     half h of row r in column panel p:   base + p * panel + r * row + h * half
import { block, brIf, type Code, loop } from "../assembler/code.js";
import { f32, f32x4, i32, v128 } from "../assembler/instructions.js";
import type { Body, Local } from "../assembler/module.js";
import type { Simd } from "../machine/features.js";
import type { Taken } from "../machine/signature.js";
import type { Vector } from "../vector/writer.js";

/** Columns of a tile and of a panel of the right factor: two vectors. */
export const tileColumns = 8;
/** At least this many sums must be independent: a multiply-add takes four cycles, and the processor starts two in each cycle. */
const inFlight = 8;
/** Rows of a tile, where the product has enough rows. 6 x 8 sums fill 12 of the 16 registers. */
export const tileRows = 6;

/**
 * The order of a left panel in memory: `quads` is [k / 4][rows][4], which copies of row-major data give, four numbers at a time;
 * `columns` is [k][rows], which copies of transposed data give.
 */
export type LeftLayout = "quads" | "columns";

export interface TileShape {
  readonly rows: number;
  readonly left: LeftLayout;
  /** Column panels that are computed together. With few rows it is two, far apart: memory is read faster from two streams. */
  readonly panels: 1 | 2;
}

/** A stream as an argument of a kernel: the four numbers of the formula above. */
export const tileStream = { base: "i32", row: "i32", panel: "i32", half: "i32" } as const;

/** Code that goes along a stream, row by row and panel by panel. */
export class TileStream {
  readonly base: Local<"i32">;
  readonly row: Local<"i32">;
  readonly panel: Local<"i32">;
  readonly half: Local<"i32">;
  /** The address of the current row in the current column panel. */
  readonly at: Local<"i32">;

  constructor(body: Body, { base, row, panel, half }: Taken<typeof tileStream>) {
    this.base = base;
    this.row = row;
    this.panel = panel;
    this.half = half;
    this.at = body.local("i32");
  }

  /** Continues where another stream is, or `apart` column panels behind it. */
  become({ base, row, panel, half }: TileStream, apart?: Local<"i32">): Code<"none">[] {
    const start = apart ? i32.add(base.get(), i32.mul(apart.get(), panel.get())) : base.get();
    return [
      this.base.set(start),
      this.row.set(row.get()),
      this.panel.set(panel.get()),
      this.half.set(half.get()),
    ];
  }

  /** Goes to the first row. */
  rewind(): Code<"none"> {
    return this.at.set(this.base.get());
  }

  nextRow(): Code<"none"> {
    return this.at.set(i32.add(this.at.get(), this.row.get()));
  }

  nextPanel(): Code<"none"> {
    return this.base.set(i32.add(this.base.get(), this.panel.get()));
  }

  load(half: 0 | 1): Code<"v128"> {
    return v128.load(this.address(half));
  }

  store(half: 0 | 1, value: Code<"v128">): Code<"none"> {
    return v128.store(this.address(half), value);
  }

  private address(half: 0 | 1): Code<"i32"> {
    return half === 0 ? this.at.get() : i32.add(this.at.get(), this.half.get());
  }
}

/** Code that computes a tile. Its sums are local variables, which the engine keeps in registers. */
export class Tile {
  /** By row, chain and vector. A tile of few rows has several chains of sums, which are added up at the end: see `inFlight`. */
  private readonly sums: readonly (readonly (readonly Vector[])[])[];
  private readonly left: Local<"i32">;
  private readonly rights: readonly Local<"i32">[];
  private readonly end: Local<"i32">;
  private readonly factors: readonly Vector[];
  private readonly splat: Vector;

  constructor(
    body: Body,
    private readonly shape: TileShape,
    private readonly simd: Simd,
  ) {
    const vectors = 2 * shape.panels;
    const chains = Math.ceil(inFlight / (vectors * shape.rows));
    const row = (): Vector[] => Array.from({ length: vectors }, () => body.local("v128"));
    this.sums = Array.from({ length: shape.rows }, () => Array.from({ length: chains }, row));
    this.left = body.local("i32");
    this.rights = Array.from({ length: shape.panels }, () => body.local("i32"));
    this.end = body.local("i32");
    this.factors = row();
    this.splat = body.local("v128");
  }

  /** Loads the sums from the streams, one for each column panel. Each stream is then at the row below the tile. */
  start(from: readonly TileStream[]): Code<"none">[] {
    return this.sums.flatMap(([first, ...others]) => [
      ...(first as Vector[]).map((sum, i) => sum.set((from[i >> 1] as TileStream).load((i & 1) as 0 | 1))),
      ...others.flat().map((sum) => sum.set(f32x4.splat(f32.const(0)))),
      ...from.map((stream) => stream.nextRow()),
    ]);
  }

  /** Adds the product of the panels over `k` positions: a multiple of 4, unless the left panel is in the order `columns`. */
  addProduct(left: Local<"i32">, rights: readonly Local<"i32">[], k: Local<"i32">): Code<"none">[] {
    const first = this.rights[0] as Local<"i32">;
    const end = (steps: Code<"i32">): Code<"none"> =>
      this.end.set(i32.add((rights[0] as Local<"i32">).get(), i32.mul(steps, i32.const(4 * tileColumns))));
    const through = (count: number): Code<"none"> =>
      block((done) => [
        brIf(done, i32.ge_u(first.get(), this.end.get())),
        loop((again) => [
          ...Array.from({ length: count }, (_, step) => this.step(step)).flat(),
          this.left.set(i32.add(this.left.get(), i32.const(4 * this.shape.rows * count))),
          ...this.rights.map((right) => right.set(i32.add(right.get(), i32.const(4 * tileColumns * count)))),
          brIf(again, i32.lt_u(first.get(), this.end.get())),
        ]),
      ]);
    return [
      this.left.set(left.get()),
      ...this.rights.map((right, i) => right.set((rights[i] as Local<"i32">).get())),
      end(i32.and(k.get(), i32.const(-4))),
      through(4),
      ...(this.shape.left === "columns" ? [end(k.get()), through(1)] : []),
    ];
  }

  private step(step: number): Code<"none">[] {
    const { rows, left } = this.shape;
    const chain = step % (this.sums[0]?.length ?? 1);
    return [
      ...this.factors.map((factor, i) =>
        factor.set(
          v128.load((this.rights[i >> 1] as Local<"i32">).get(), 4 * tileColumns * step + 16 * (i & 1)),
        ),
      ),
      ...this.sums.flatMap((chains, row) => {
        const element = left === "quads" ? 4 * row + step : rows * step + row;
        return [
          this.splat.set(v128.load32_splat(this.left.get(), 4 * element)),
          ...(chains[chain] as readonly Vector[]).map((sum, i) =>
            sum.set(this.multiplyAdd(this.splat, this.factors[i] as Vector, sum)),
          ),
        ];
      }),
    ];
  }

  /** Writes the sums to the streams, one for each column panel. Each stream is then at the row below the tile. */
  finish(to: readonly TileStream[]): Code<"none">[] {
    return this.sums.flatMap((chains) => [
      ...this.factors.map((_, i) =>
        (to[i >> 1] as TileStream).store(
          (i & 1) as 0 | 1,
          chains.map((sums) => (sums[i] as Vector).get()).reduce((total, sum) => f32x4.add(total, sum)),
        ),
      ),
      ...to.map((stream) => stream.nextRow()),
    ]);
  }

  private multiplyAdd(a: Vector, b: Vector, c: Vector): Code<"v128"> {
    const [x, y, z] = [a.get(), b.get(), c.get()];
    return this.simd === "relaxed" ? f32x4.relaxed_madd(x, y, z) : f32x4.add(z, f32x4.mul(x, y));
  }
}
