// The matrix product on packed panels: `out = start + left right`, one column panel after the other.
// The fused kernels of a feed-forward block run the same panels and go on with the activation.
import type { ValueType } from "./assembler/code.js";
import { block, brIf, type Code, loop } from "./assembler/code.js";
import { i32 } from "./assembler/instructions.js";
import type { Body, Local, ModuleBuilder } from "./assembler/module.js";
import type { Simd } from "./features.js";
import { streamTypes, Tile, type TileShape, TileStream } from "./gemm-tile.js";

/** Hands out a kernel's parameters in order. */
export class Arguments {
  private next = 0;
  constructor(
    private readonly body: Body,
    private readonly all: readonly Local[],
  ) {}

  take<T extends ValueType>(type: T): Local<T> {
    const local = this.all[this.next++];
    if (local?.type !== type) throw new TypeError(`kernel argument ${this.next} is not ${type}`);
    return local as Local<T>;
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
export const productTypes: readonly ValueType[] = [
  ...(["i32", "i32", "i32", "i32", "i32", "i32", "i32"] as const),
  ...streamTypes,
  ...streamTypes,
];

/**
 * A product in a kernel. It takes the arguments left (address), leftPanel (bytes from one row panel to the next), right,
 * rightPanel, k, rowPanels, columnPanels, and the streams start and out, which may be the same.
 */
export class PanelProduct {
  readonly rowPanels: Local<"i32">;
  readonly out: TileStream;
  private readonly start: TileStream;
  private readonly tile: Tile;
  private readonly left: Local<"i32">;
  private readonly leftPanel: Local<"i32">;
  private readonly right: Local<"i32">;
  private readonly rightPanel: Local<"i32">;
  private readonly k: Local<"i32">;
  private readonly columnPanels: Local<"i32">;
  private readonly panel: Local<"i32">;
  private readonly rowsLeft: Local<"i32">;
  private readonly columnsLeft: Local<"i32">;

  constructor(body: Body, given: Arguments, shape: TileShape, simd: Simd) {
    this.left = given.take("i32");
    this.leftPanel = given.take("i32");
    this.right = given.take("i32");
    this.rightPanel = given.take("i32");
    this.k = given.take("i32");
    this.rowPanels = given.take("i32");
    this.columnPanels = given.take("i32");
    this.start = given.stream();
    this.out = given.stream();
    this.tile = new Tile(body, shape, simd);
    this.panel = body.local("i32");
    this.rowsLeft = body.local("i32");
    this.columnsLeft = body.local("i32");
  }

  /** Goes through the column panels; `then` is what else happens to each once it is in `out`. */
  columns(then: readonly Code<"none">[]): Code<"none">[] {
    return times(this.columnsLeft, this.columnPanels.get(), [
      this.panel.set(this.left.get()),
      this.start.rewind(),
      this.out.rewind(),
      ...times(this.rowsLeft, this.rowPanels.get(), [
        ...this.tile.start(this.start),
        ...this.tile.addProduct(this.panel, this.right, this.k),
        ...this.tile.finish(this.out),
        advance(this.panel, this.leftPanel.get()),
      ]),
      ...then,
      advance(this.right, this.rightPanel.get()),
      this.start.nextPanel(),
      this.out.nextPanel(),
    ]);
  }
}

/** Adds the kernel `product`, whose arguments are those of a `PanelProduct`. */
export function addProduct(module: ModuleBuilder, shape: TileShape, simd: Simd): void {
  module.function("product", productTypes, (body, ...all) =>
    new PanelProduct(body, new Arguments(body, all), shape, simd).columns([]),
  );
}
