// The fused kernels of a feed-forward block. Each computes a matrix product and, on each finished column panel while it is in
// cache, the activation (forward) or its gradients (backward). Results are stored as the left factor of the next product.
//
// A column panel of the product where it gives gate and up together (`pair`), and where it gives one input:
//
//     | g0 g1 g2 g3 | u0 u1 u2 u3 |      4 hidden columns     -> half a column panel of `hidden`
//     | x0 x1 x2 x3 | x4 x5 x6 x7 |      8 hidden columns     -> a whole one
//         half 0        half 1
//
// A left factor that is written, in the order `quads` (see tile-kernel.ts). It is filled column panel by column panel:
//
//     row panel 0:  | half 0 of all rows | half 1 of all rows | half 0 ... |       16 bytes a row
//                   |<---- one column panel, `panel` bytes -->|
//                   |<----- `half` ----->|
//     row panel 1:  `rowPanel` bytes further
import { type Activation, gradientExpressions } from "../../catalogue/activation.js";
import { type Expr, mul } from "../../expression/expr.js";
import type { Code } from "../assembler/code.js";
import { f32x4, i32, v128 } from "../assembler/instructions.js";
import type { Body, Local, ModuleBuilder } from "../assembler/module.js";
import type { Simd } from "../machine/features.js";
import { addKernel, kernel, type Taken } from "../machine/signature.js";
import { advance, PanelProduct, productArguments, times } from "../product/product-kernel.js";
import { type TileShape, TileStream, tileStream } from "../product/tile-kernel.js";
import { emitVectors } from "../vector/emit.js";
import { type Vector, VectorWriter } from "../vector/writer.js";

type Half = 0 | 1;

/** What tells one fused kernel of an activation from another. */
export interface FusedShape {
  /** Rows of a tile. */
  readonly rows: number;
  /**
   * What the product gives: both inputs of the activation (`pair`, four columns of each in a panel), or the input of this index
   * (eight columns in a panel). An input that it does not give is read from memory.
   */
  readonly product: "pair" | 0 | 1;
  /** For each parameter of the activation: one value for each column, or one number. */
  readonly perChannel: readonly boolean[];
  /** Backward: for each input, whether its gradient is also stored as a left factor. */
  readonly asFactor: readonly boolean[];
}

const tileOf = ({ rows }: FusedShape): TileShape => ({ rows, left: "quads", panels: 1 });

/** A left factor that is written, as an argument of a kernel: where it begins, and the distances of the second picture. */
export const quads = { base: "i32", rowPanel: "i32", panel: "i32", half: "i32" } as const;

/** Code that writes a left factor. */
class Quads {
  private readonly at: Local<"i32">;

  constructor(
    body: Body,
    private readonly given: Taken<typeof quads>,
  ) {
    this.at = body.local("i32");
  }

  rewind = (): Code<"none"> => this.at.set(this.given.base.get());
  nextRow = (): Code<"none"> => advance(this.at, i32.const(16));
  nextRowPanel = (rows: number): Code<"none"> =>
    advance(this.at, i32.sub(this.given.rowPanel.get(), i32.const(16 * rows)));
  nextPanel = (): Code<"none"> => advance(this.given.base, this.given.panel.get());
  store = (half: Half, value: Code<"v128">): Code<"none"> =>
    v128.store(half === 0 ? this.at.get() : i32.add(this.at.get(), this.given.half.get()), value);
}

/** A parameter with a value for each column: the address of the values. */
const channels = { base: "i32" } as const;

/** The parameters of the activation as arguments of a kernel: for each a number, or the address of a value for each column. */
const parameterArguments = ({ perChannel }: FusedShape) =>
  perChannel.map((each) => (each ? channels : ("f32" as const)));

/** Code that reads the parameters of the activation. */
class Parameters {
  constructor(
    private readonly given: Taken<ReturnType<typeof parameterArguments>>,
    private readonly names: readonly string[],
  ) {}

  /** The parameters by name, as vectors for one half of a column panel. */
  values(write: VectorWriter, half: Half): Record<string, Vector> {
    return Object.fromEntries(
      this.given.map((parameter, i) => [
        this.names[i],
        "base" in parameter
          ? write.outside(`parameter ${i} ${half}`, () => v128.load(parameter.base.get(), 16 * half))
          : write.outside(`parameter ${i}`, () => f32x4.splat(parameter.get())),
      ]),
    );
  }

  nextPanel(columns: number): Code<"none">[] {
    return this.given.flatMap((parameter) =>
      "base" in parameter ? [advance(parameter.base, i32.const(4 * columns))] : [],
    );
  }
}

/** Memory that a kernel reads or writes beside the output of the product, row by row with it. */
interface Row {
  nextRow(): Code<"none">;
  rewind(): Code<"none">;
  nextPanel(): Code<"none">;
}

/** The loop over the rows of a finished column panel. `row` is what happens in each of them. */
function throughRows(
  body: Body,
  product: PanelProduct,
  rowPanels: Local<"i32">,
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
    ...times(body.local("i32"), rowPanels.get(), [
      ...times(body.local("i32"), i32.const(shape.rows), [...row, ...all.map((stream) => stream.nextRow())]),
      ...quads.map((target) => target.nextRowPanel(shape.rows)),
    ]),
    ...[...streams, ...quads].map((stream) => stream.nextPanel()),
  ];
}

/**
 * The forward kernel. It stores the product, which is one or both inputs of the activation, and the activation of it as the left
 * factor `hidden`. `other` is the input that the product does not give.
 */
export const fusedForward = (activation: Activation, shape: FusedShape) =>
  kernel("forward", {
    product: productArguments(tileOf(shape)),
    other: shape.product !== "pair" && activation.inputs.length === 2 ? tileStream : undefined,
    hidden: quads,
    parameters: parameterArguments(shape),
  });

export function addFusedForward(
  module: ModuleBuilder,
  activation: Activation,
  shape: FusedShape,
  simd: Simd,
): void {
  const { inputs } = activation;
  addKernel(module, fusedForward(activation, shape), (body, given) => {
    const product = new PanelProduct(body, given.product, tileOf(shape), simd);
    const other = given.other && new TileStream(body, given.other);
    const hidden = new Quads(body, given.hidden);
    const parameters = new Parameters(given.parameters, Object.keys(activation.parameters));
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
      ...throughRows(
        body,
        product,
        given.product.rowPanels,
        shape,
        write,
        other ? [other] : [],
        [hidden],
        rows,
      ),
      ...parameters.nextPanel(4 * halves.length),
    ]);
  });
}

/**
 * The backward kernel. Its product is the gradient of the activation's result; the result itself is then stored over it.
 * `sources` are the inputs of the activation. The gradient of each input is stored in `stream` and, where a product needs it as
 * a left factor, in `quads` too. `slopes` are the terms of each parameter's gradient, one for each element.
 */
export const fusedBackward = (activation: Activation, shape: FusedShape) =>
  kernel("backward", {
    product: productArguments(tileOf(shape)),
    sources: activation.inputs.map(() => tileStream),
    gradients: shape.asFactor.map((asFactor) => ({
      stream: tileStream,
      quads: asFactor ? quads : undefined,
    })),
    parameters: parameterArguments(shape),
    slopes: shape.perChannel.map(() => tileStream),
  });

export function addFusedBackward(
  module: ModuleBuilder,
  activation: Activation,
  shape: FusedShape,
  simd: Simd,
): void {
  const { inputs } = activation;
  addKernel(module, fusedBackward(activation, shape), (body, given) => {
    const product = new PanelProduct(body, given.product, tileOf(shape), simd);
    const streamsOf = (all: readonly Taken<typeof tileStream>[]) =>
      all.map((stream) => new TileStream(body, stream));
    const sources = streamsOf(given.sources);
    const gradients = given.gradients.map(({ stream, quads }) => ({
      stream: new TileStream(body, stream),
      quads: quads && new Quads(body, quads),
    }));
    const parameters = new Parameters(given.parameters, Object.keys(activation.parameters));
    const slopes = streamsOf(given.slopes);
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
      ...throughRows(body, product, given.product.rowPanels, shape, write, streams, quads, rows),
      ...parameters.nextPanel(8),
    ]);
  });
}
