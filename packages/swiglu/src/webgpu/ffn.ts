// The feed-forward block of the WebGPU backend: forward without keeping anything, and recorded passes with their backward.
import type { ActivateOptions, Ffn, FfnGradients, Pass, PassOptions } from "../backend/backend.js";
import { checkData, checkLength } from "../backend/check.js";
import type { Data } from "../backend/data.js";
import { checkGradientArrays, checkRows, type FfnPlan } from "../backend/ffn.js";
import { bytesOf, type Memory, type Place, wholeQuads } from "./buffers.js";
import { Call } from "./call.js";
import type { Gpu } from "./device.js";
import { FfnBackward } from "./ffn-backward.js";
import { FfnProducts, type Kept } from "./ffn-products.js";
import { GpuWeights, type Locate } from "./ffn-weights.js";
import { type Matrix, padded } from "./gemm.js";
import { copyIn, copyOut, dense, unpadded } from "./matrix-copy.js";

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
    const { dModel } = this.plan;
    this.check("x", x, rows);
    if (out !== undefined) checkLength(checkData(out, "out"), "out", rows * dModel);
    const target: Data = out ?? new Float32Array(rows * dModel);
    return Call.run(this.gpu, async (call) => {
      const input = this.matrix(x, "x", rows, call);
      const tensor = target instanceof Float32Array ? undefined : this.locate(target, "out", call);
      const direct = tensor && padded(dModel) === dModel && tensor.buffer !== input.place.buffer;
      const y = direct ? tensor : call.room(rows * padded(dModel));
      this.products.output(call, this.products.hidden(call, input, rows), rows, y);
      if (tensor && !direct) copyOut(call, y, tensor, dense(dModel), [rows, dModel]);
      if (target instanceof Float32Array) await this.bring(call, y, rows, target);
      return target as D;
    });
  }

  async record(x: Data, rows: number): Promise<Pass<W>> {
    const { dModel } = this.plan;
    this.check("x", x, rows);
    const own: Memory[] = [];
    const release = (): void => {
      for (const memory of own.splice(0)) this.gpu.buffers.give(memory);
    };
    const y = new Float32Array(rows * dModel);
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
        const result = call.room(rows * padded(dModel));
        this.products.output(call, this.products.hidden(call, input, rows, inputs), rows, result);
        await this.bring(call, result, rows, y);
        return { x: input, inputs, rows };
      });
      return this.pass(y, kept, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  dispose(): void {
    if (!this.disposed) this.weights.dispose();
    this.disposed = true;
  }

  private pass(y: Float32Array, kept: Kept, release: () => void): Pass<W> {
    let disposed = false;
    return {
      y,
      backward: async (dY, options) => {
        if (disposed) throw new Error("this pass is disposed: record a new one");
        return this.backward(kept, dY, options);
      },
      dispose: () => {
        disposed = true;
        release();
      },
    };
  }

  private async backward(kept: Kept, dY: Data, options?: PassOptions<W>): Promise<FfnGradients<W>> {
    this.check("dY", dY, kept.rows);
    const out = checkGradientArrays(this.plan, kept.rows, options?.out);
    return Call.run(this.gpu, (call) => {
      const flow = this.matrix(dY, "dY", kept.rows, call);
      return new FfnBackward<W>(call, this.plan, this.products, kept, out).run(flow);
    });
  }

  private check(name: string, data: Data, rows: number): void {
    if (this.disposed) throw new Error("this feed-forward block is disposed: create a new one");
    this.gpu.alive();
    checkRows(name, checkData(data, name), rows, this.plan.dModel);
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

  /** Brings a result with padded rows to an array. */
  private async bring(call: Call, from: Place, rows: number, into: Float32Array): Promise<void> {
    await call.read([{ place: unpadded(call, { place: from, columns: this.plan.dModel }, rows), into }]);
  }
}
