// Calls of the fused kernels: the streams that each form of block reads and writes, forward and backward.
//
// What the last product before the activation gives, and where the activation's inputs are kept:
//
//     gated, packed   gate and up together   column panels | 4 of gate | 4 of up |, each [rows][8]
//     ungated         up                     row-major
//     self-gated      square                 row-major, behind `in`, which is row-major too
import { fusedForm } from "../../block/forms.js";
import type { BlockPlan } from "../../block/plan.js";
import { definitionText } from "../../catalogue/activation.js";
import type { Engine, LoadedModule } from "../machine/engine.js";
import type { Scratch } from "../machine/scratch.js";
import type { Given } from "../machine/signature.js";
import { packLeft } from "../product/packing.js";
import {
  fusedProduct,
  type LeftFactor,
  type Part,
  padded,
  partOf,
  product,
  type RightFactor,
  rowMajor,
  type Stream,
  sameRow,
  wholeTiles,
} from "../product/product.js";
import {
  addFusedBackward,
  addFusedForward,
  type FusedShape,
  fusedBackward,
  fusedForward,
  type quads,
} from "./fused-kernels.js";
import type { PackedWeight, PackedWeights } from "./weights.js";

/** Where a fused kernel writes a left factor. */
type Quads = Given<typeof quads>;

/** The gradient of a product before the activation: as a left factor for the gradient of x, as a right one for the weight's. */
export interface Flow {
  readonly left: LeftFactor;
  readonly right: RightFactor;
}

/** What the fused backward computes. Addresses are those of row-major matrices with `padded(dFf)` columns. */
interface Slopes {
  readonly hidden: number;
  readonly product: Flow;
  /** Self-gated blocks: the gradient of the other input, without what comes through the square product. */
  readonly own: number;
  /** For each parameter, the terms of its gradient. */
  readonly parameters: readonly number[];
}

/** Calls the fused kernels of one block. */
export class FusedCalls {
  /** How many inputs of the activation the last product gives together. */
  private readonly together: 1 | 2;
  /** Which input it gives, where it gives only one. */
  private readonly produced: 0 | 1;
  private readonly width: number;
  private readonly perChannel: readonly boolean[];

  constructor(
    private readonly engine: Engine,
    private readonly plan: BlockPlan,
    private readonly weights: PackedWeights,
  ) {
    const { produced } = fusedForm(plan.form);
    this.together = produced.length as 1 | 2;
    this.produced = produced[0] as 0 | 1;
    this.width = padded(plan.dFf);
    this.perChannel = Object.values(plan.parameters).map((value) => typeof value !== "number");
  }

  /** How many numbers the activation's inputs are, for `rows` rows. */
  roomForInputs(rows: number): number {
    return this.plan.activation.inputs.length * this.width * wholeTiles(rows);
  }

  /** The streams of the activation's inputs, which `forward` stored at `address`. */
  private inputsAt(address: number, rows: number): Stream[] {
    const { width, together, produced } = this;
    if (together === 2) {
      const panel = 32 * wholeTiles(rows);
      return [0, 16].map((at) => ({ base: address + at, row: 32, panel: 2 * panel, half: panel }));
    }
    const first = rowMajor(address, width);
    if (this.weights.square === undefined) return [first];
    const second = rowMajor(address + 4 * width * wholeTiles(rows), width);
    return produced === 1 ? [first, second] : [second, first];
  }

  /**
   * Computes the hidden layer from x (row-major, padded), as the left factor for down, and stores the activation's inputs at
   * `inputs`.
   */
  forward(x: number, rows: number, inputs: number, scratch: Scratch): LeftFactor {
    const { engine, width, together, produced } = this;
    const { first, square } = this.weights;
    const room = wholeTiles(rows);
    const columns = padded(this.plan.dModel);
    let left = packLeft(engine, x, rows, columns, scratch.allocate(room * columns));
    const streams = this.inputsAt(inputs, rows);
    let [weight, out, other]: [PackedWeight, Stream, Stream | undefined] = [
      first,
      together === 1 ? rowMajor(inputs, width) : { base: inputs, row: 32, panel: 32 * room, half: 16 },
      undefined,
    ];
    if (square) {
      product(engine, { left, right: first.panels, start: sameRow(first.bias), out });
      left = packLeft(engine, inputs, rows, width, scratch.allocate(room * width));
      [weight, out, other] = [square, streams[produced] as Stream, streams[1 - produced]];
    }
    const step = 16 * left.rows;
    const hidden: Quads = {
      base: scratch.allocate(room * width),
      rowPanel: 4 * left.rows * width,
      panel: together === 2 ? step : 2 * step,
      half: step,
    };
    const factors = { left, right: weight.panels, start: sameRow(weight.bias), out };
    const shape = this.shape(left.rows);
    const kernel = fusedForward(this.plan.activation, shape);
    const module = this.load("forward", shape, addFusedForward);
    fusedProduct(engine, factors, module, kernel, (product, part) => ({
      product,
      other: other && partOf(other, left, part),
      hidden: quadsOf(hidden, part),
      parameters: this.parameters(part, 8 / together),
    }));
    const factor: LeftFactor = { ...left, address: hidden.base, k: width };
    this.clearPadding(factor, { ...hidden, panel: 2 * step });
    return factor;
  }

  /** Computes the gradients of inputs and parameters from dY, as a left factor, and the inputs that `forward` stored at `kept`. */
  backward(dy: LeftFactor, rows: number, kept: number, scratch: Scratch): Slopes {
    const { engine, width, together, produced, weights } = this;
    const inputs = this.inputsAt(kept, rows);
    const room = wholeTiles(rows);
    const area = (): number => scratch.allocate(room * width + 8);
    const [hidden, own] = [area(), weights.square ? area() : 0];
    const parameters = this.weights.parameters.map(area);
    const right: RightFactor = {
      address: scratch.allocate(together * room * width),
      panels: (together * width) / 8,
      panelBytes: 32 * room,
      k: rows,
    };
    const left: LeftFactor = {
      ...dy,
      address: scratch.allocate(together * room * width),
      k: together * width,
    };
    const step = 16 * left.rows;
    const targets = inputs.map((_, i) => {
      if (together === 1 && i !== produced) return { stream: rowMajor(own, width), quads: undefined };
      const at = together === 2 ? i : 0;
      const stream: Stream = {
        base: right.address + 16 * at,
        row: 32,
        panel: together * right.panelBytes,
        half: together === 2 ? right.panelBytes : 16,
      };
      const quads: Quads = {
        base: left.address + step * at,
        rowPanel: 4 * left.rows * left.k,
        panel: 2 * together * step,
        half: together * step,
      };
      return { stream, quads };
    });
    const factors = {
      left: dy,
      right: weights.down.transposed(),
      start: weights.start,
      out: rowMajor(hidden, width),
    };
    const shape = this.shape(dy.rows);
    const kernel = fusedBackward(this.plan.activation, shape);
    const module = this.load("backward", shape, addFusedBackward);
    fusedProduct(engine, factors, module, kernel, (product, part) => ({
      product,
      sources: inputs.map((stream) => partOf(stream, dy, part)),
      gradients: targets.map(({ stream, quads }) => ({
        stream: partOf(stream, dy, part),
        quads: quads && quadsOf(quads, part),
      })),
      parameters: this.parameters(part, 8),
      slopes: parameters.map((address) => partOf(rowMajor(address, width), dy, part)),
    }));
    for (const { quads } of targets) if (quads) this.clearPadding(left, quads);
    return { hidden, product: { left, right }, own, parameters };
  }

  /** The parameters as arguments: a number, or the address of the values for the columns of a part. */
  private parameters({ column }: Part, columnsOfPanel: number): (number | { readonly base: number })[] {
    return this.weights.parameters.map((value, i) =>
      this.perChannel[i] ? { base: value + 4 * columnsOfPanel * column } : value,
    );
  }

  /** Sets the columns beyond dFf to 0. They take part in the sums of the next product, and the activation of 0 need not be 0. */
  private clearPadding(left: LeftFactor, { base, rowPanel, panel, half }: Quads): void {
    const { f32 } = this.engine.heap;
    for (let column = this.plan.dFf; column < this.width; column++) {
      const quad = base + Math.floor(column / 8) * panel + (Math.floor(column / 4) % 2) * half;
      for (let i = 0; i < left.panels; i++)
        for (let row = 0; row < left.rows; row++)
          f32[(quad + i * rowPanel + 16 * row) / 4 + (column % 4)] = 0;
    }
  }

  private shape(rows: number): FusedShape {
    return {
      rows,
      product: this.together === 2 ? "pair" : this.produced,
      perChannel: this.perChannel,
      asFactor: this.plan.activation.inputs.map((_, i) => this.together === 2 || i === this.produced),
    };
  }

  private load(name: string, shape: FusedShape, add: typeof addFusedForward): LoadedModule {
    const { activation } = this.plan;
    const key = `fused ${name} ${definitionText(activation)} ${JSON.stringify(shape)}`;
    return this.engine.load(key, (module) => add(module, activation, shape, this.engine.simd));
  }
}

const quadsOf = ({ base, rowPanel, panel, half }: Quads, { row, column }: Part): Quads => ({
  base: base + row * rowPanel + column * panel,
  rowPanel,
  panel,
  half,
});
