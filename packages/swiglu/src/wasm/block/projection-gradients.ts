// The gradients of projections, `y = x W + b`: of x, of W and of b, from the gradient of y, which is called the flow.
// Each is one product, except that of b, which is a sum. Gate and up are computed together.

import type { BlockPlan } from "../../block/plan.js";
import type { ParameterValue } from "../../call/data.js";
import { pack } from "../../layout.js";
import type { Engine } from "../machine/engine.js";
import type { Scratch } from "../machine/scratch.js";
import { packedColumns, readMatrix } from "../product/matrix-copy.js";
import { columnSums, packColumns, packLeft, packLeftPair, packRight } from "../product/packing.js";
import {
  inPanels,
  padded,
  product,
  type RightFactor,
  rowMajor,
  type Stream,
  tileColumns,
  tileRows,
  wholeTiles,
} from "../product/product.js";
import type { Flow } from "./fused.js";
import type { PackedWeight } from "./weights.js";

/** Where gradients are written, by name. It is asked as late as possible, since an array of the heap is invalid once it grows. */
export interface GradientTargets {
  /** The caller's array for a gradient. Where there is none, a new array is made. */
  array(name: string): Float32Array | undefined;
  /**
   * The address of room in the heap for a gradient, up to whole tiles of rows. The gradient of a matrix that needs no padding is
   * computed there at once, and is not among the gradients that are returned.
   */
  address?(name: string): number;
}

/** Collects the gradients of one call of `backward`. */
export class ProjectionGradients {
  /** By name, without those that were computed at an address of the caller's. */
  readonly gradients: Record<string, ParameterValue> = {};

  constructor(
    private readonly engine: Engine,
    private readonly plan: BlockPlan,
    /** Zeros: the `start` of products to which nothing is added. */
    private readonly zeros: Stream,
    private readonly rows: number,
    private readonly scratch: Scratch,
    private readonly targets: GradientTargets,
  ) {}

  /** A row-major gradient as a left factor and as a right factor. */
  flow(from: number, columns: number): Flow {
    const { engine, rows, scratch } = this;
    return {
      left: packLeft(engine, from, rows, columns, scratch.allocate(wholeTiles(rows) * columns)),
      right: packRight(engine, [from], rows, columns, scratch.allocate(rows * columns)),
    };
  }

  /** The gradients of gate and up as one flow: four columns of each in turn, as their weights are packed. */
  pairFlow(gate: number, up: number, columns: number): Flow {
    const { engine, rows, scratch } = this;
    const [both, count] = [[gate, up] as const, 2 * columns];
    return {
      left: packLeftPair(engine, both, rows, columns, scratch.allocate(wholeTiles(rows) * count)),
      right: packRight(engine, both, rows, columns, scratch.allocate(rows * count)),
    };
  }

  /** Computes the gradient of x. */
  inputGradient({ left }: Flow, weight: PackedWeight): void {
    const { engine, rows, scratch } = this;
    const { dModel } = this.plan;
    const columns = padded(dModel);
    const direct = columns === dModel ? this.targets.address?.("x") : undefined;
    const out = rowMajor(direct ?? scratch.allocate(wholeTiles(rows) * columns), columns);
    product(engine, { left, right: weight.transposed(), start: this.zeros, out });
    if (direct === undefined)
      this.gradients.x = readMatrix(engine, out.base, rows, dModel, this.targets.array("x"));
  }

  /**
   * Computes the gradients of the named weights, one or gate and up, and of their biases: `factor`ᵀ times the flow. `factor` is
   * the address of what the weights multiply, row-major and padded. `rows` and `columns` are those of each weight.
   */
  weightGradients(
    names: readonly string[],
    factor: number,
    rows: number,
    columns: number,
    flow: RightFactor,
  ): void {
    const { engine, scratch } = this;
    const tall = Math.ceil(rows / tileRows) * tileRows;
    const left = packColumns(engine, factor, flow.k, rows, padded(rows), scratch.allocate(tall * flow.k));
    const direct = this.directOutput(names, columns);
    const width = padded(columns);
    const addresses = direct ? 0 : scratch.allocate(names.length * tall * width);
    const distance = 4 * tall * width;
    const copied: Stream =
      names.length === 1
        ? rowMajor(addresses, width)
        : { base: addresses, row: 4 * width, panel: 16, half: distance };
    product(engine, { left, right: flow, start: this.zeros, out: direct ?? copied });
    if (direct === undefined) this.readWeights(names, rows, columns, addresses, distance);
    this.biasGradients(names, columns, flow);
  }

  /** The caller's memory for the gradients of the named weights, where a product can write them there without a copy. */
  private directOutput(names: readonly string[], columns: number): Stream | undefined {
    const { targets } = this;
    if (targets.address === undefined || padded(columns) !== columns) return undefined;
    if (names.length === 1) return rowMajor(targets.address(names[0] as string), columns);
    const { layout } = this.plan;
    if (layout === undefined) {
      const [gate, up] = names.map((name) => targets.address?.(name)) as [number, number];
      return { base: gate, row: 4 * columns, panel: 16, half: up - gate };
    }
    const [gate, up] = packedColumns(columns, layout);
    if (gate.step !== 1) return undefined;
    const base = targets.address("packed") + 4 * gate.offset;
    return { base, row: 4 * gate.rowLength, panel: 16, half: 4 * (up.offset - gate.offset) };
  }

  /** Copies the gradients of the named weights out of the heap. */
  private readWeights(
    names: readonly string[],
    rows: number,
    columns: number,
    addresses: number,
    distance: number,
  ): void {
    const { engine, targets, gradients } = this;
    const { layout } = this.plan;
    if (names.length === 2 && layout !== undefined) {
      const into = targets.array("packed") ?? new Float32Array(2 * rows * columns);
      packedColumns(columns, layout).forEach((where, i) => {
        readMatrix(engine, addresses + i * distance, rows, columns, into, where);
      });
      gradients.packed = into;
    } else
      names.forEach((name, i) => {
        gradients[name] = readMatrix(engine, addresses + i * distance, rows, columns, targets.array(name));
      });
  }

  /** The gradients of the biases of the named weights, where they have any. */
  private biasGradients(names: readonly string[], columns: number, flow: RightFactor): void {
    const { layout, weights } = this.plan;
    const packed = names.length === 2 && layout !== undefined;
    const biases = (packed ? ["packed"] : names).map((name) => `${name}Bias`);
    if (!biases.some((name) => weights[name] !== undefined)) return;
    const sums = this.sums(flow, names.length, columns);
    if (packed) {
      const [gate, up] = sums as [Float32Array, Float32Array];
      this.keep("packedBias", pack({ gate, up }, [columns], { layout }));
    } else
      biases.forEach((name, i) => {
        if (weights[name] !== undefined) this.keep(name, sums[i] as Float32Array);
      });
  }

  /** Keeps a gradient, in the caller's array if there is one. */
  private keep(name: string, value: Float32Array): void {
    const into = this.targets.array(name);
    into?.set(value);
    this.gradients[name] = into ?? value;
  }

  /** The sums of the flow's columns over the rows, for each of the weights that share it. */
  private sums(flow: RightFactor, together: number, columns: number): Float32Array[] {
    const totals = this.columnSums(inPanels(flow), flow.panels);
    const quad = 4 * together;
    return Array.from({ length: together }, (_, part) =>
      Float32Array.from(
        { length: columns },
        (_, i) => totals[Math.floor(i / 4) * quad + 4 * part + (i % 4)] as number,
      ),
    );
  }

  columnSums(stream: Stream, panels: number): Float64Array {
    const { engine, rows, scratch } = this;
    return columnSums(engine, stream, rows, panels, scratch.allocate(2 * tileColumns * panels));
  }
}
