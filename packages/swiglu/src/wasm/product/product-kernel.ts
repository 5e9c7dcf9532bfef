// The matrix product on packed panels: `out = start + left right`, one column panel after the other.
// The fused kernels of a feed-forward block run the same panels and go on with the activation.
import { Arguments } from "../assembler/arguments.js";
import type { ValueType } from "../assembler/code.js";
import { block, brIf, type Code, loop, when } from "../assembler/code.js";
import { i32 } from "../assembler/instructions.js";
import type { Body, Local, ModuleBuilder } from "../assembler/module.js";
import type { Simd } from "../machine/features.js";
import { streamTypes, Tile, type TileShape, TileStream, tileColumns } from "./tile-kernel.js";

/** The parameters of a kernel on panels: a stream of tiles takes several. */
export class PanelArguments extends Arguments {
  constructor(
    private readonly body: Body,
    all: readonly Local[],
  ) {
    super(all);
  }

  stream(): TileStream {
    const [base, row, panel, half] = streamTypes.map((type) => this.take(type));
    return new TileStream(
      this.body,
      base as Local<"i32">,
      row as Local<"i32">,
      panel as Local<"i32">,
      half as Local<"i32">,
    );
  }
}

/** A loop that runs `count` times, which may be 0; `counter` is a local of its own. */
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

/** How the signature of every kernel on panels begins; see `PanelProduct`. */
export const productTypes = ({ panels }: TileShape): readonly ValueType[] => [
  ...(["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"] as const),
  ...streamTypes,
  ...streamTypes,
  ...(panels === 2 ? (["i32"] as const) : []),
];

/**
 * A product in a kernel. It takes the arguments left (address), leftPanel (bytes from one row panel to the next), right,
 * rightPanel, k, kBlock, rowPanels, columnPanels, and the streams start and out, which may be the same. The sum is taken in
 * blocks of `kBlock`, so that a block of a column panel stays in the first-level cache for all row panels. With two column
 * panels at a time there is one more argument, how many panels they are apart; columnPanels counts pairs.
 */
export class PanelProduct {
  readonly rowPanels: Local<"i32">;
  readonly out: TileStream;
  private readonly start: TileStream;
  private readonly apart: Local<"i32"> | undefined;
  /** Where the sums of the current block begin: at `start`, then with what is in `out`. One for each panel. */
  private readonly from: readonly TileStream[];
  private readonly to: readonly TileStream[];
  private readonly tile: Tile;
  private readonly left: Local<"i32">;
  private readonly leftPanel: Local<"i32">;
  private readonly right: Local<"i32">;
  private readonly rightPanel: Local<"i32">;
  private readonly k: Local<"i32">;
  private readonly kBlock: Local<"i32">;
  private readonly columnPanels: Local<"i32">;

  constructor(
    private readonly body: Body,
    given: PanelArguments,
    private readonly shape: TileShape,
    simd: Simd,
  ) {
    this.left = given.take("i32");
    this.leftPanel = given.take("i32");
    this.right = given.take("i32");
    this.rightPanel = given.take("i32");
    this.k = given.take("i32");
    this.kBlock = given.take("i32");
    this.rowPanels = given.take("i32");
    this.columnPanels = given.take("i32");
    this.start = given.stream();
    this.out = given.stream();
    this.apart = shape.panels === 2 ? given.take("i32") : undefined;
    const own = (): Local<"i32"> => body.local("i32");
    const streams = (): TileStream[] =>
      Array.from({ length: shape.panels }, () => new TileStream(body, own(), own(), own(), own()));
    this.from = streams();
    this.to = streams();
    this.tile = new Tile(body, shape, simd);
  }

  /** Goes through the column panels; `then` is what else happens to each once it is in `out`. */
  columns(then: readonly Code<"none">[]): Code<"none">[] {
    return times(this.body.local("i32"), this.columnPanels.get(), [
      ...this.column(),
      ...then,
      advance(this.right, this.rightPanel.get()),
      this.start.nextPanel(),
      this.out.nextPanel(),
    ]);
  }

  private column(): Code<"none">[] {
    const own = (): Local<"i32"> => this.body.local("i32");
    const [left, rest, k, panel] = [own(), own(), own(), own()] as const;
    const rights = this.from.map(own);
    const [first, second] = rights as [Local<"i32">, Local<"i32">?];
    const both = (streams: readonly TileStream[], source: TileStream): Code<"none">[] =>
      streams.flatMap((stream, i) => stream.become(source, i === 0 ? undefined : this.apart));
    return [
      left.set(this.left.get()),
      first.set(this.right.get()),
      ...(this.apart && second
        ? [second.set(i32.add(first.get(), i32.mul(this.apart.get(), this.rightPanel.get())))]
        : []),
      rest.set(this.k.get()),
      ...both(this.from, this.start),
      ...both(this.to, this.out),
      loop((again) => [
        k.set(this.kBlock.get()),
        when(i32.lt_u(rest.get(), k.get()), [k.set(rest.get())]),
        panel.set(left.get()),
        ...[...this.from, ...this.to].map((stream) => stream.rewind()),
        ...times(this.body.local("i32"), this.rowPanels.get(), [
          ...this.tile.start(this.from),
          ...this.tile.addProduct(panel, rights, k),
          ...this.tile.finish(this.to),
          advance(panel, this.leftPanel.get()),
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

/** Adds the kernel `product`, whose arguments are those of a `PanelProduct`. */
export function addProduct(module: ModuleBuilder, shape: TileShape, simd: Simd): void {
  module.function("product", productTypes(shape), (body, ...all) =>
    new PanelProduct(body, new PanelArguments(body, all), shape, simd).columns([]),
  );
}
