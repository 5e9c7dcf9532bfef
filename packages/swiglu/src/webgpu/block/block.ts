// The feed-forward block of the WebGPU backend: forward passes that keep nothing, and recorded passes with their backward.
import type { BackwardCall, BlockParts } from "../../block/facade.js";
import type { BlockPlan } from "../../block/plan.js";
import { isFloat32Array } from "../../call/arrays.js";
import type { Named } from "../../call/data.js";
import { bytesOf, type Memory, type Place, wholeQuads } from "../device/buffers.js";
import { Call } from "../device/call.js";
import type { Gpu } from "../device/device.js";
import { copyIn, copyOut, dense, unpadded } from "../product/matrix-copy.js";
import { type Matrix, padded } from "../product/product.js";
import { BlockBackward, type Gradients } from "./backward.js";
import { BlockProducts, type Kept } from "./products.js";
import { GpuWeights, type Locate } from "./weights.js";

/** What a recorded pass keeps, and the memory that belongs to it. */
interface Recorded extends Kept {
  readonly own: Memory[];
}

export class GpuBlock implements BlockParts<Recorded> {
  private readonly products: BlockProducts;

  private constructor(
    private readonly gpu: Gpu,
    private readonly plan: BlockPlan,
    private readonly weights: GpuWeights,
    private readonly locate: Locate,
    private readonly recompute: boolean,
  ) {
    this.products = new BlockProducts(plan, weights);
  }

  /** Makes a block and copies its weights to the GPU's memory. With `recompute`, passes keep only x. */
  static async create(gpu: Gpu, plan: BlockPlan, locate: Locate, recompute: boolean): Promise<GpuBlock> {
    const weights = await Call.run(gpu, (call) => new GpuWeights(gpu, plan, locate, call));
    return new GpuBlock(gpu, plan, weights, locate, recompute);
  }

  forward(x: Named, rows: number, y: Named): Promise<void> {
    return Call.run(this.gpu, (call) => {
      const input = this.matrix(x, rows, call);
      return this.output(call, this.products.hidden(call, input, rows), rows, y);
    });
  }

  async record(x: Named, rows: number, y: Named): Promise<Recorded> {
    const { dModel } = this.plan;
    const { storage } = this.gpu;
    const own: Memory[] = [];
    try {
      return await Call.run(this.gpu, async (call) => {
        const keep = (count: number): Place => {
          const memory = this.gpu.buffers.take(bytesOf(storage) * count, "this pass");
          own.push(memory);
          call.require(memory.checked);
          return { buffer: memory.buffer, offset: 0, size: wholeQuads(bytesOf(storage) * count) };
        };
        const input = { place: keep(rows * padded(dModel)), columns: dModel };
        copyIn(call, this.numbers(x, call), { place: input.place, as: storage }, [rows, dModel]);
        const inputs = this.recompute ? undefined : this.products.roomForInputs(keep, rows);
        await this.output(call, this.products.hidden(call, input, rows, inputs), rows, y);
        return { x: input, inputs, rows, own };
      });
    } catch (error) {
      this.give(own);
      throw error;
    }
  }

  backward(kept: Recorded, { rows, dY, out, parameterGradients }: BackwardCall): Promise<Gradients> {
    return Call.run(this.gpu, (call) => {
      const flow = this.matrix(dY, rows, call);
      const targets = Object.entries(out).map(([name, target]) => {
        const { data } = target;
        const tensor = isFloat32Array(data) ? undefined : this.locate(target, call);
        return [name, { data, tensor }] as const;
      });
      const named = Object.fromEntries(targets);
      return new BlockBackward(call, this.plan, this.products, kept, named, parameterGradients).run(flow);
    });
  }

  release({ own }: Recorded): void {
    this.give(own);
  }

  dispose(): void {
    this.weights.dispose();
  }

  private give(own: Memory[]): void {
    for (const memory of own.splice(0)) this.gpu.buffers.give(memory);
  }

  private numbers(named: Named, call: Call) {
    return { place: this.locate(named, call), as: this.gpu.storage, ...dense(this.plan.dModel) };
  }

  /** Data [rows, dModel] as a matrix: its own place where rows need no padding, else a copy. */
  private matrix(named: Named, rows: number, call: Call): Matrix {
    const { dModel } = this.plan;
    const from = this.numbers(named, call);
    if (padded(dModel) === dModel) return { place: from.place, columns: dModel };
    const place = call.room(rows * padded(dModel));
    copyIn(call, from, { place, as: this.gpu.storage }, [rows, dModel]);
    return { place, columns: dModel };
  }

  /** Computes y from the hidden layer, into a tensor or an array. */
  private async output(call: Call, hidden: Matrix, rows: number, y: Named): Promise<void> {
    const { dModel } = this.plan;
    const tensor = isFloat32Array(y.data) ? undefined : this.locate(y, call);
    const place = padded(dModel) === dModel && tensor ? tensor : call.room(rows * padded(dModel));
    this.products.output(call, hidden, rows, place);
    if (isFloat32Array(y.data))
      await call.read([{ place: unpadded(call, { place, columns: dModel }, rows), into: y.data }]);
    else if (tensor && place !== tensor) copyOut(call, place, tensor, dense(dModel), [rows, dModel]);
  }
}
