// The feed-forward block of the WebGPU backend: forward without keeping anything, and recorded passes with their backward.

import type {
  ActivateOptions,
  Ffn,
  FfnGradients,
  Pass,
  PassOptions,
  PassOutputs,
} from "../../backend/backend.js";
import { checkGradientOutputs, checkRows, type FfnPlan } from "../../block/plan.js";
import { isFloat32Array } from "../../call/arrays.js";
import { resultOutput } from "../../call/check.js";
import type { Data } from "../../call/data.js";
import { bytesOf, type Memory, type Place, wholeQuads } from "../device/buffers.js";
import { Call } from "../device/call.js";
import type { Gpu } from "../device/device.js";
import { copyIn, copyOut, dense, unpadded } from "../product/matrix-copy.js";
import { type Matrix, padded } from "../product/product.js";
import { FfnBackward, type Gradients } from "./backward.js";
import { FfnProducts, type Kept } from "./products.js";
import { GpuWeights, type Locate } from "./weights.js";

export class GpuFfn<W> implements Ffn<W> {
  private readonly products: FfnProducts;
  private disposed = false;

  private constructor(
    private readonly gpu: Gpu,
    private readonly plan: FfnPlan,
    private readonly weights: GpuWeights,
    private readonly locate: Locate,
    private readonly recompute: boolean,
  ) {
    this.products = new FfnProducts(plan, weights);
  }

  /** A block with its weights in the GPU's memory. With `recompute`, passes keep only x. */
  static async create<W>(gpu: Gpu, plan: FfnPlan, locate: Locate, recompute: boolean): Promise<GpuFfn<W>> {
    const weights = await Call.run(gpu, (call) => new GpuWeights(gpu, plan, locate, call));
    return new GpuFfn<W>(gpu, plan, weights, locate, recompute);
  }

  async forward<D extends Data = Float32Array>(
    x: Data,
    rows: number,
    { out }: ActivateOptions<D> = {},
  ): Promise<NoInfer<D>> {
    this.check("x", x, rows);
    const y = resultOutput(rows * this.plan.dModel, out);
    await Call.run(this.gpu, (call) => {
      const input = this.matrix(x, "x", rows, call);
      return this.output(call, this.products.hidden(call, input, rows), rows, y);
    });
    return y as D;
  }

  async record<D extends Data = Float32Array>(
    x: Data,
    rows: number,
    { out }: ActivateOptions<D> = {},
  ): Promise<Pass<W, NoInfer<D>>> {
    const { dModel } = this.plan;
    this.check("x", x, rows);
    const y = resultOutput(rows * dModel, out);
    const own: Memory[] = [];
    const release = (): void => {
      for (const memory of own.splice(0)) this.gpu.buffers.give(memory);
    };
    try {
      const kept = await Call.run(this.gpu, async (call) => {
        const keep = (count: number): Place => {
          const memory = this.gpu.buffers.take(bytesOf(this.gpu.storage) * count, "this pass");
          own.push(memory);
          call.require(memory.checked);
          return { buffer: memory.buffer, offset: 0, size: wholeQuads(bytesOf(this.gpu.storage) * count) };
        };
        const input = { place: keep(rows * padded(dModel)), columns: dModel };
        copyIn(call, this.numbers(x, "x", call), { place: input.place, as: this.gpu.storage }, [
          rows,
          dModel,
        ]);
        const inputs = this.recompute ? undefined : this.products.roomForInputs(keep, rows);
        await this.output(call, this.products.hidden(call, input, rows, inputs), rows, y);
        return { x: input, inputs, rows };
      });
      return this.pass(y as D, kept, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  dispose(): void {
    if (!this.disposed) this.weights.dispose();
    this.disposed = true;
  }

  private pass<Y extends Data>(y: Y, kept: Kept, release: () => void): Pass<W, Y> {
    let disposed = false;
    return {
      y,
      backward: async <O extends PassOutputs<W>>(dY: Data, options?: PassOptions<W, O>) => {
        if (disposed) throw new Error("this pass is disposed: record a new one");
        return (await this.backward(kept, dY, options)) as FfnGradients<W, O>;
      },
      dispose: () => {
        disposed = true;
        release();
      },
    };
  }

  private async backward(kept: Kept, dY: Data, options: PassOptions<W> = {}): Promise<Gradients> {
    this.check("dY", dY, kept.rows);
    const out = checkGradientOutputs(this.plan, kept.rows, options.out);
    return Call.run(this.gpu, (call) => {
      const flow = this.matrix(dY, "dY", kept.rows, call);
      const targets = Object.entries(out).map(([name, data]) => {
        const tensor = isFloat32Array(data) ? undefined : this.locate(data, `out.${name}`, call);
        return [name, { data, tensor }] as const;
      });
      const { parameterGradients = true } = options;
      const named = Object.fromEntries(targets);
      return new FfnBackward(call, this.plan, this.products, kept, named, parameterGradients).run(flow);
    });
  }

  private check(name: string, data: Data, rows: number): void {
    if (this.disposed) throw new Error("this feed-forward block is disposed: create a new one");
    this.gpu.alive();
    checkRows(name, data, rows, this.plan.dModel);
  }

  private numbers(data: Data, name: string, call: Call) {
    return { place: this.locate(data, name, call), as: this.gpu.storage, ...dense(this.plan.dModel) };
  }

  /** Data [rows, dModel] as a matrix: where it is, or a copy with padded rows. */
  private matrix(data: Data, name: string, rows: number, call: Call): Matrix {
    const { dModel } = this.plan;
    const from = this.numbers(data, name, call);
    if (padded(dModel) === dModel) return { place: from.place, columns: dModel };
    const place = call.room(rows * padded(dModel));
    copyIn(call, from, { place, as: this.gpu.storage }, [rows, dModel]);
    return { place, columns: dModel };
  }

  /** Computes y, into a tensor or an array, from the hidden layer. */
  private async output(call: Call, hidden: Matrix, rows: number, y: Data): Promise<void> {
    const { dModel } = this.plan;
    const tensor = isFloat32Array(y) ? undefined : this.locate(y, "out", call);
    const place = padded(dModel) === dModel && tensor ? tensor : call.room(rows * padded(dModel));
    this.products.output(call, hidden, rows, place);
    if (tensor === undefined)
      await call.read([{ place: unpadded(call, { place, columns: dModel }, rows), into: y as Float32Array }]);
    else if (place !== tensor) copyOut(call, place, tensor, dense(dModel), [rows, dModel]);
  }
}
