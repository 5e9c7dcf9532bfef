// The fused kernels of a feed-forward block: a matrix product, and on each panel of it, while it is in cache, the activation
// (forward) or its gradients (backward). Results go straight into the panels that the next products read.
import { type Activation, gradientExpressions } from "../../catalogue/activation.js";
import { type Expr, mul } from "../../expression/expr.js";
import type { Code, ValueType } from "../assembler/code.js";
import { f32x4, i32, v128 } from "../assembler/instructions.js";
import type { Body, Local, ModuleBuilder } from "../assembler/module.js";
import type { Simd } from "../machine/features.js";
import { advance, PanelArguments, PanelProduct, productTypes, times } from "../product/product-kernel.js";
import { streamTypes, type TileShape, type TileStream } from "../product/tile-kernel.js";
import { emitVectors } from "../vector/emit.js";
import { type Vector, VectorWriter } from "../vector/writer.js";

type Half = 0 | 1;

/** What fused kernels are made for. */
export interface FusedShape {
  /** Rows of a tile. */
  readonly rows: number;
  /**
   * What the product gives: `pair`: both inputs of the activation, four columns each in a panel; otherwise the input of
   * this index, eight columns, and any other one is read from memory.
   */
  readonly product: "pair" | 0 | 1;
  /** For each parameter of the activation: one value for each column, or one number. */
  readonly perChannel: readonly boolean[];
  /** Backward: for each input, whether its gradient also goes into a left operand. */
  readonly operands: readonly boolean[];
}

const tileOf = ({ rows }: FusedShape): TileShape => ({ rows, left: "quads", panels: 1 });

const quadsTypes = ["i32", "i32", "i32", "i32"] as const;

/**
 * Panels of a left operand that are written column panel by column panel. Bytes: where they begin, the steps from one row
 * panel and one column panel to the next, and between the halves of a column panel.
 */
class Quads {
  private readonly at: Local<"i32">;
  private readonly base: Local<"i32">;
  private readonly rowPanel: Local<"i32">;
  private readonly panel: Local<"i32">;
  private readonly half: Local<"i32">;

  constructor(body: Body, given: PanelArguments) {
    this.base = given.take("i32");
    this.rowPanel = given.take("i32");
    this.panel = given.take("i32");
    this.half = given.take("i32");
    this.at = body.local("i32");
  }

  rewind = (): Code<"none"> => this.at.set(this.base.get());
  nextRow = (): Code<"none"> => advance(this.at, i32.const(16));
  nextRowPanel = (rows: number): Code<"none"> =>
    advance(this.at, i32.sub(this.rowPanel.get(), i32.const(16 * rows)));
  nextPanel = (): Code<"none"> => advance(this.base, this.panel.get());
  store = (half: Half, value: Code<"v128">): Code<"none"> =>
    v128.store(half === 0 ? this.at.get() : i32.add(this.at.get(), this.half.get()), value);
}

/** A parameter of the activation: an f32, or the address of a value for each column. */
class Parameters {
  private readonly all: readonly { readonly scalar?: Local<"f32">; readonly base?: Local<"i32"> }[];

  constructor(
    given: PanelArguments,
    private readonly names: readonly string[],
    perChannel: readonly boolean[],
  ) {
    this.all = perChannel.map((channels) =>
      channels ? { base: given.take("i32") } : { scalar: given.take("f32") },
    );
  }

  static types = (perChannel: readonly boolean[]): ValueType[] =>
    perChannel.map((channels) => (channels ? "i32" : "f32"));

  /** Vectors by name, for one half of a column panel. */
  values(write: VectorWriter, half: Half): Record<string, Vector> {
    return Object.fromEntries(
      this.all.map(({ scalar, base }, i) => [
        this.names[i],
        scalar
          ? write.outside(`parameter ${i}`, () => f32x4.splat(scalar.get()))
          : write.outside(`parameter ${i} ${half}`, () => v128.load((base as Local<"i32">).get(), 16 * half)),
      ]),
    );
  }

  nextPanel(columns: number): Code<"none">[] {
    return this.all.flatMap(({ base }) => (base ? [advance(base, i32.const(4 * columns))] : []));
  }
}

/** What goes through memory together with the output of the product: all at the same row. */
interface Row {
  nextRow(): Code<"none">;
  rewind(): Code<"none">;
  nextPanel(): Code<"none">;
}

/** Goes through the rows of a column panel that is in `out`; `row` is what happens in each. */
function throughRows(
  body: Body,
  product: PanelProduct,
  shape: FusedShape,
  write: VectorWriter,
  streams: readonly Row[],
  quads: readonly Quads[],
  row: readonly Code<"none">[],
): Code<"none">[] {
  const all = [product.out, ...streams, ...quads];
  return [
    ...write.prelude,
    ...all.map((stream) => stream.rewind()),
    ...times(body.local("i32"), product.rowPanels.get(), [
      ...times(body.local("i32"), i32.const(shape.rows), [...row, ...all.map((stream) => stream.nextRow())]),
      ...quads.map((target) => target.nextRowPanel(shape.rows)),
    ]),
    ...[...streams, ...quads].map((stream) => stream.nextPanel()),
  ];
}

/** What the forward kernel takes after its product. */
function forwardTypes(activation: Activation, { product, perChannel }: FusedShape): ValueType[] {
  const other = product !== "pair" && activation.inputs.length === 2;
  return [...(other ? streamTypes : []), ...quadsTypes, ...Parameters.types(perChannel)];
}

/**
 * Adds `forward(product..., [other input: stream], hidden: quads, parameter...)`: the product's output is kept as it is, and
 * the activation of it becomes a left operand.
 */
export function addFusedForward(
  module: ModuleBuilder,
  activation: Activation,
  shape: FusedShape,
  simd: Simd,
): void {
  const { inputs } = activation;
  module.function(
    "forward",
    [...productTypes(tileOf(shape)), ...forwardTypes(activation, shape)],
    (body, ...all) => {
      const given = new PanelArguments(body, all);
      const product = new PanelProduct(body, given, tileOf(shape), simd);
      const other = shape.product !== "pair" && inputs.length === 2 ? given.stream() : undefined;
      const hidden = new Quads(body, given);
      const parameters = new Parameters(given, Object.keys(activation.parameters), shape.perChannel);
      const write = new VectorWriter(body, simd);
      const halves: readonly Half[] = shape.product === "pair" ? [0] : [0, 1];
      for (const half of halves) {
        const variables = parameters.values(write, half);
        inputs.forEach((name, i) => {
          const value =
            shape.product === "pair"
              ? product.out.load(i as Half)
              : (i === shape.product ? product.out : (other as TileStream)).load(half);
          variables[name] = write.let(value);
        });
        const [result] = emitVectors(write, [activation.expression], variables) as [Vector];
        write.do(hidden.store(half, result.get()));
      }
      const rows = write.take();
      return product.columns([
        ...throughRows(body, product, shape, write, other ? [other] : [], [hidden], rows),
        ...parameters.nextPanel(4 * halves.length),
      ]);
    },
  );
}

/**
 * Adds `backward(product..., (input: stream)..., (gradient: stream, [gradient: quads])..., parameter..., (slope: stream)...)`:
 * the product is the gradient of the activation's result; in its place comes the result itself. Slopes are the terms of
 * each parameter's gradient, one for each element.
 */
export function addFusedBackward(
  module: ModuleBuilder,
  activation: Activation,
  shape: FusedShape,
  simd: Simd,
): void {
  const { inputs } = activation;
  const names = Object.keys(activation.parameters);
  const types = [
    ...productTypes(tileOf(shape)),
    ...inputs.flatMap(() => streamTypes),
    ...inputs.flatMap((_, i): ValueType[] => [...streamTypes, ...(shape.operands[i] ? quadsTypes : [])]),
    ...Parameters.types(shape.perChannel),
    ...names.flatMap(() => streamTypes),
  ];
  module.function("backward", types, (body, ...all) => {
    const given = new PanelArguments(body, all);
    const product = new PanelProduct(body, given, tileOf(shape), simd);
    const sources = inputs.map(() => given.stream());
    const gradients = inputs.map((_, i) => ({
      stream: given.stream(),
      quads: shape.operands[i] ? new Quads(body, given) : undefined,
    }));
    const parameters = new Parameters(given, names, shape.perChannel);
    const slopes = names.map(() => given.stream());
    const write = new VectorWriter(body, simd);
    const expressions: Expr[] = Object.values(gradientExpressions(activation)).map((slope) =>
      mul(slope, "dy"),
    );
    for (const half of [0, 1] as const) {
      const variables = { ...parameters.values(write, half), dy: write.let(product.out.load(half)) };
      inputs.forEach((name, i) => {
        Object.assign(variables, { [name]: write.let((sources[i] as TileStream).load(half)) });
      });
      const [value, ...results] = emitVectors(write, [activation.expression, ...expressions], variables) as [
        Vector,
        ...Vector[],
      ];
      write.do(product.out.store(half, value.get()));
      gradients.forEach(({ stream, quads }, i) => {
        const result = results[i] as Vector;
        write.do(stream.store(half, result.get()));
        if (quads) write.do(quads.store(half, result.get()));
      });
      slopes.forEach((stream, i) => {
        write.do(stream.store(half, (results[inputs.length + i] as Vector).get()));
      });
    }
    const rows = write.take();
    const streams = [...sources, ...gradients.map(({ stream }) => stream), ...slopes];
    const quads = gradients.flatMap((gradient) => (gradient.quads ? [gradient.quads] : []));
    return product.columns([
      ...throughRows(body, product, shape, write, streams, quads, rows),
      ...parameters.nextPanel(8),
    ]);
  });
}
