// The fused kernels of a feed-forward block: a matrix product, and on each panel of it, while it is in cache, the activation
// (forward) or its gradients (backward). Results go straight into the panels that the next products read.
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
  /** Backward: for each input, whether its gradient also goes into a left factor. */
  readonly asFactor: readonly boolean[];
}

const tileOf = ({ rows }: FusedShape): TileShape => ({ rows, left: "quads", panels: 1 });

/**
 * Panels of a left factor that are written column panel by column panel, in a kernel's signature. Bytes: where they begin, the
 * steps from one row panel and one column panel to the next, and the distance between the halves of a column panel.
 */
export const quads = { base: "i32", rowPanel: "i32", panel: "i32", half: "i32" } as const;

/** Code that writes such panels. */
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

/** The address of a parameter's values, one for each column. */
const channels = { base: "i32" } as const;

/** The parameters of the activation in a kernel's signature: one number, or a value for each column. */
const parameterArguments = ({ perChannel }: FusedShape) =>
  perChannel.map((each) => (each ? channels : ("f32" as const)));

/** Code that reads the parameters of the activation. */
class Parameters {
  constructor(
    private readonly given: Taken<ReturnType<typeof parameterArguments>>,
    private readonly names: readonly string[],
  ) {}

  /** Vectors by name, for one half of a column panel. */
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
 * The forward kernel: the product's output is kept as it is, and the activation of it becomes the left factor `hidden`. `other`
 * is the input of the activation that the product does not give.
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
 * The backward kernel: the product is the gradient of the activation's result; in its place comes the result itself. `sources`
 * are the inputs of the activation. The gradient of each goes to a stream and, where it is needed as one, into a left factor.
 * `slopes` are the terms of each parameter's gradient, one for each element.
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
