// The feed-forward block of the WebAssembly backend: hidden layer and activation fused, then down; recorded passes.
// Weights are packed once; everything else is scratch, except what a recorded pass keeps until it is disposed.
import type {
  ActivateOptions,
  Ffn,
  FfnGradients,
  Pass,
  PassOptions,
  PassOutputs,
} from "../../backend/backend.js";
import { checkGradientOutputs, checkRows, type FfnPlan } from "../../block/plan.js";
import { resultOutput } from "../../call/check.js";
import type { Data } from "../../call/data.js";
import type { Engine } from "../machine/engine.js";
import { Scratch, withScratch } from "../machine/scratch.js";
import { readMatrix, writePadded } from "../product/matrix-copy.js";
import { padded, product, rowMajor, sameRow, wholeTiles } from "../product/product.js";
import { FfnBackward } from "./backward.js";
import { FusedCalls } from "./fused.js";
import { KeptWeights, type PackedWeights } from "./weights.js";

/** Looks into data of this backend; throws where it belongs to another or is disposed. */
type Read = (data: Data, name: string) => Float32Array;

export class WasmFfn<W> implements Ffn<W> {
  private readonly kept: KeptWeights;
  private readonly weights: PackedWeights;
  private readonly fused: FusedCalls;
  private disposed = false;

  /** With `recompute`, passes keep only x, and compute the activation's inputs again in their backward. */
  constructor(
    private readonly engine: Engine,
    private readonly plan: FfnPlan,
    private readonly read: Read,
    private readonly recompute: boolean,
  ) {
    this.kept = new KeptWeights(engine, plan, (name) => {
      const data = plan.weights[name];
      return data === undefined ? undefined : () => read(data, `weights.${name}`);
    });
    this.weights = this.kept.packed;
    this.fused = new FusedCalls(engine, plan, this.weights);
  }

  async forward<D extends Data = Float32Array>(
    x: Data,
    rows: number,
    { out }: ActivateOptions<D> = {},
  ): Promise<NoInfer<D>> {
    this.check("x", x, rows);
    const y = resultOutput(rows * this.plan.dModel, out);
    withScratch(this.engine, (scratch) => {
      const inputs = scratch.place(this.fused.roomForInputs(rows));
      this.output(this.inHeap(x, "x", rows, scratch), rows, inputs, y, scratch);
    });
    return y as D;
  }

  async record<D extends Data = Float32Array>(
    x: Data,
    rows: number,
    { out }: ActivateOptions<D> = {},
  ): Promise<Pass<W, NoInfer<D>>> {
    this.check("x", x, rows);
    const y = resultOutput(rows * this.plan.dModel, out);
    const kept = new Scratch(this.engine);
    try {
      const place = this.copy(x, "x", rows, kept);
      const room = this.fused.roomForInputs(rows);
      const inputs = this.recompute ? undefined : kept.place(room);
      withScratch(this.engine, (scratch) => {
        this.output(place, rows, inputs ?? scratch.place(room), y, scratch);
      });
      return this.pass(y as D, rows, place, inputs, kept);
    } catch (error) {
      kept.release();
      throw error;
    }
  }

  dispose(): void {
    this.kept.release();
    this.disposed = true;
  }

  private pass<Y extends Data>(
    y: Y,
    rows: number,
    x: number,
    inputs: number | undefined,
    kept: Scratch,
  ): Pass<W, Y> {
    let alive = true;
    return {
      y,
      backward: async <O extends PassOutputs<W>>(dY: Data, options?: PassOptions<W, O>) => {
        if (!alive) throw new Error("this pass is disposed: record a new one");
        this.check("dY", dY, rows);
        const out = checkGradientOutputs(this.plan, rows, options?.out);
        return withScratch(this.engine, (scratch) => {
          const at = this.inHeap(dY, "dY", rows, scratch);
          const { engine, plan, weights, fused } = this;
          const array = (name: string) => out[name] && this.read(out[name], `out.${name}`);
          const backward = new FfnBackward(engine, plan, weights, fused, rows, scratch, { array });
          return { ...backward.run(x, inputs, at, options?.parameterGradients), ...out } as FfnGradients<
            W,
            O
          >;
        });
      },
      dispose: () => {
        if (alive) kept.release();
        alive = false;
      },
    };
  }

  /** Computes y from x (row-major, padded); the activation's inputs go to `inputs`. */
  private output(x: number, rows: number, inputs: number, y: Data, scratch: Scratch): void {
    const { down } = this.weights;
    const left = this.fused.forward(x, rows, inputs, scratch);
    const columns = padded(this.plan.dModel);
    const out = rowMajor(scratch.place(wholeTiles(rows) * columns), columns);
    product(this.engine, { left, right: down.panels, start: sameRow(down.bias), out });
    readMatrix(this.engine, out.base, rows, this.plan.dModel, this.read(y, "out"));
  }

  /** Where rows of width dModel are, padded: a tensor is used where it is if it needs no padding. */
  private inHeap(data: Data, name: string, rows: number, scratch: Scratch): number {
    const numbers = this.read(data, name);
    const inside = numbers.buffer === this.engine.heap.memory.buffer;
    return inside && this.plan.dModel === padded(this.plan.dModel)
      ? numbers.byteOffset
      : this.copy(data, name, rows, scratch);
  }

  private copy(data: Data, name: string, rows: number, scratch: Scratch): number {
    const { dModel } = this.plan;
    // Packing panels of six columns reads a little beyond the last one.
    const place = scratch.place(rows * padded(dModel) + 8);
    writePadded(this.engine, place, () => this.read(data, name), [rows, dModel]);
    return place;
  }

  private check(name: string, data: Data, rows: number): void {
    if (this.disposed) throw new Error("this feed-forward block is disposed: create a new one");
    checkRows(name, data, rows, this.plan.dModel);
  }
}
