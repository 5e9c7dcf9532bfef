// The feed-forward block of the WebAssembly backend: a fused product and activation, then the product with down.
// Weights are packed once. Everything else is scratch memory, except what a recorded pass keeps until it is disposed.
import type { BackwardCall, BlockParts } from "../../block/facade.js";
import type { BlockPlan } from "../../block/plan.js";
import type { Named, ParameterValue } from "../../call/data.js";
import type { Engine } from "../machine/engine.js";
import { Scratch, withScratch } from "../machine/scratch.js";
import { readMatrix, writePadded } from "../product/matrix-copy.js";
import { padded, product, rowMajor, sameRow, wholeTiles } from "../product/product.js";
import { BlockBackward } from "./backward.js";
import { FusedCalls } from "./fused.js";
import { KeptWeights, type PackedWeights } from "./weights.js";

/** The numbers of data of this backend. Throws an Error for data of another backend, or a tensor that is disposed. */
type NumbersOf = (named: Named) => Float32Array;

/** What a recorded pass keeps in memory of its own: the addresses of x (row-major, padded) and of the activation's inputs. */
interface Kept {
  readonly x: number;
  /** Undefined where the backward computes them again. */
  readonly inputs: number | undefined;
  readonly memory: Scratch;
}

export class WasmBlock implements BlockParts<Kept> {
  private readonly kept: KeptWeights;
  private readonly weights: PackedWeights;
  private readonly fused: FusedCalls;

  /** With `recompute`, a pass keeps only x, and its backward computes the activation's inputs again. */
  constructor(
    private readonly engine: Engine,
    private readonly plan: BlockPlan,
    private readonly numbers: NumbersOf,
    private readonly recompute: boolean,
  ) {
    this.kept = new KeptWeights(engine, plan, (name) => {
      const data = plan.weights[name];
      return data === undefined ? undefined : () => numbers({ name: `weights.${name}`, data });
    });
    this.weights = this.kept.packed;
    this.fused = new FusedCalls(engine, plan, this.weights);
  }

  forward(x: Named, rows: number, y: Named): void {
    withScratch(this.engine, (scratch) => {
      const inputs = scratch.allocate(this.fused.roomForInputs(rows));
      this.output(this.inHeap(x, rows, scratch), rows, inputs, y, scratch);
    });
  }

  record(x: Named, rows: number, y: Named): Kept {
    const memory = new Scratch(this.engine);
    try {
      const address = this.copy(x, rows, memory);
      const room = this.fused.roomForInputs(rows);
      const inputs = this.recompute ? undefined : memory.allocate(room);
      withScratch(this.engine, (scratch) => {
        this.output(address, rows, inputs ?? scratch.allocate(room), y, scratch);
      });
      return { x: address, inputs, memory };
    } catch (error) {
      memory.release();
      throw error;
    }
  }

  backward({ x, inputs }: Kept, { rows, dY, out, parameterGradients }: BackwardCall) {
    return withScratch(this.engine, (scratch): Readonly<Record<string, ParameterValue>> => {
      const at = this.inHeap(dY, rows, scratch);
      const { engine, plan, weights, fused } = this;
      const array = (name: string) => out[name] && this.numbers(out[name]);
      const backward = new BlockBackward(engine, plan, weights, fused, rows, scratch, { array });
      return backward.run(x, inputs, at, parameterGradients);
    });
  }

  release({ memory }: Kept): void {
    memory.release();
  }

  dispose(): void {
    this.kept.release();
  }

  /** Computes y from x (row-major, padded), and stores the activation's inputs at `inputs`. */
  private output(x: number, rows: number, inputs: number, y: Named, scratch: Scratch): void {
    const { down } = this.weights;
    const left = this.fused.forward(x, rows, inputs, scratch);
    const columns = padded(this.plan.dModel);
    const out = rowMajor(scratch.allocate(wholeTiles(rows) * columns), columns);
    product(this.engine, { left, right: down.panels, start: sameRow(down.bias), out });
    readMatrix(this.engine, out.base, rows, this.plan.dModel, this.numbers(y));
  }

  /** The address of rows of width dModel, padded: the tensor itself where it needs no padding, else a copy. */
  private inHeap(named: Named, rows: number, scratch: Scratch): number {
    const numbers = this.numbers(named);
    const inside = numbers.buffer === this.engine.heap.memory.buffer;
    return inside && this.plan.dModel === padded(this.plan.dModel)
      ? numbers.byteOffset
      : this.copy(named, rows, scratch);
  }

  private copy(named: Named, rows: number, scratch: Scratch): number {
    const { dModel } = this.plan;
    // The kernel that packs panels of six columns reads up to 8 numbers beyond the last column.
    const address = scratch.allocate(rows * padded(dModel) + 8);
    writePadded(this.engine, address, () => this.numbers(named), [rows, dModel]);
    return address;
  }
}
