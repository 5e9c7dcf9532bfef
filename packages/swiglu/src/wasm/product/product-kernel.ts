// The matrix product on packed panels, `out = start + left right`, one column panel after the other. The order of the loops:
//
//     for each column panel                      of the part that the call computes
//       for each block of k, kBlock long         a block of both panels fits into the first-level cache
//         for each row panel
//           one tile: load sums, add the products of this block, store sums
//       then, in fused kernels: the activation on the finished column panel
import { block, brIf, type Code, loop, when } from "../assembler/code.js";
import { i32 } from "../assembler/instructions.js";
import type { Body, Local, ModuleBuilder } from "../assembler/module.js";
import type { Simd } from "../machine/features.js";
import { addKernel, kernel, type Taken } from "../machine/signature.js";
import { Tile, type TileShape, TileStream, tileColumns, tileStream } from "./tile-kernel.js";

/** A loop that runs `count` times, 0 included. `counter` must not be used for anything else. */
export function times(
  counter: Local<"i32">,
  count: Code<"i32">,
  statements: readonly Code<"none">[],
): Code<"none">[] {
  return [
    counter.set(count),
    block((done) => [
      brIf(done, i32.eqz(counter.get())),
      loop((again) => [
        ...statements,
        counter.set(i32.sub(counter.get(), i32.const(1))),
        brIf(again, counter.get()),
      ]),
    ]),
  ];
}

/** `local += step` */
export const advance = (local: Local<"i32">, step: Code<"i32">): Code<"none"> =>
  local.set(i32.add(local.get(), step));

/**
 * The arguments of a product: the addresses of the packed factors, the bytes from one panel to the next, the counts of the
 * loops above, and the streams `start` and `out`, which may be the same. Where two column panels are computed together,
 * `columnPanels` counts pairs, and the second panel of a pair is `apart` panels behind the first.
 */
export const productArguments = ({ panels }: TileShape) =>
  ({
    left: "i32",
    leftPanel: "i32",
    right: "i32",
    rightPanel: "i32",
    k: "i32",
    kBlock: "i32",
    rowPanels: "i32",
    columnPanels: "i32",
    start: tileStream,
    out: tileStream,
    apart: panels === 2 ? "i32" : undefined,
  }) as const;
export type ProductArguments = ReturnType<typeof productArguments>;

/** Code for a product, as a part of a kernel. */
export class PanelProduct {
  readonly out: TileStream;
  private readonly start: TileStream;
  /** Where the sums of the current block are loaded: from `start` for the first block, then from `out`. One for each panel. */
  private readonly from: readonly TileStream[];
  private readonly to: readonly TileStream[];
  private readonly tile: Tile;

  constructor(
    private readonly body: Body,
    private readonly given: Taken<ProductArguments>,
    private readonly shape: TileShape,
    simd: Simd,
  ) {
    this.start = new TileStream(body, given.start);
    this.out = new TileStream(body, given.out);
    const own = (): Local<"i32"> => body.local("i32");
    const streams = (): TileStream[] =>
      Array.from(
        { length: shape.panels },
        () => new TileStream(body, { base: own(), row: own(), panel: own(), half: own() }),
      );
    this.from = streams();
    this.to = streams();
    this.tile = new Tile(body, shape, simd);
  }

  /** The loop over column panels. `then` is run on each panel once it is complete in `out`. */
  columns(then: readonly Code<"none">[]): Code<"none">[] {
    const { columnPanels, right, rightPanel } = this.given;
    return times(this.body.local("i32"), columnPanels.get(), [
      ...this.column(),
      ...then,
      advance(right, rightPanel.get()),
      this.start.nextPanel(),
      this.out.nextPanel(),
    ]);
  }

  private column(): Code<"none">[] {
    const { given } = this;
    const own = (): Local<"i32"> => this.body.local("i32");
    const [left, rest, k, panel] = [own(), own(), own(), own()] as const;
    const rights = this.from.map(own);
    const [first, second] = rights as [Local<"i32">, Local<"i32">?];
    const both = (streams: readonly TileStream[], source: TileStream): Code<"none">[] =>
      streams.flatMap((stream, i) => stream.become(source, i === 0 ? undefined : given.apart));
    return [
      left.set(given.left.get()),
      first.set(given.right.get()),
      ...(given.apart && second
        ? [second.set(i32.add(first.get(), i32.mul(given.apart.get(), given.rightPanel.get())))]
        : []),
      rest.set(given.k.get()),
      ...both(this.from, this.start),
      ...both(this.to, this.out),
      loop((again) => [
        k.set(given.kBlock.get()),
        when(i32.lt_u(rest.get(), k.get()), [k.set(rest.get())]),
        panel.set(left.get()),
        ...[...this.from, ...this.to].map((stream) => stream.rewind()),
        ...times(this.body.local("i32"), given.rowPanels.get(), [
          ...this.tile.start(this.from),
          ...this.tile.addProduct(panel, rights, k),
          ...this.tile.finish(this.to),
          advance(panel, given.leftPanel.get()),
        ]),
        ...both(this.from, this.out),
        advance(left, i32.mul(k.get(), i32.const(4 * this.shape.rows))),
        ...rights.map((right) => advance(right, i32.mul(k.get(), i32.const(4 * tileColumns)))),
        rest.set(i32.sub(rest.get(), k.get())),
        brIf(again, rest.get()),
      ]),
    ];
  }
}

/** The kernel that computes a product and nothing else. */
export const productKernel = (shape: TileShape) => kernel("product", productArguments(shape));

export function addProduct(module: ModuleBuilder, shape: TileShape, simd: Simd): void {
  addKernel(module, productKernel(shape), (body, given) =>
    new PanelProduct(body, given, shape, simd).columns([]),
  );
}
