// The WebAssembly backend: kernels assembled from expressions at run time, fused, SIMD, on one thread or several.
import type {
  ActivateOptions,
  ActivationGradients,
  ActivationInputs,
  BackwardOptions,
  Ffn,
  GradientOutputs,
  SyncBackend,
} from "../backend/backend.js";
import {
  type ActivationPlan,
  checkData,
  checkLength,
  gradientOutputs,
  planActivation,
} from "../backend/check.js";
import type { Data, ParameterValue, Tensor } from "../backend/data.js";
import {
  type FfnOptions,
  type FfnPlan,
  type FfnWeights,
  type GatedFfnOptions,
  type GatedFfnWeights,
  planFfn,
  planGatedFfn,
} from "../backend/ffn.js";
import type { Activation, Parameters } from "../catalogue/activation.js";
import { sizeOf } from "../layout.js";
import { backward, forward, Scratch } from "./activate.js";
import { type Engine, SingleThreadEngine } from "./engine.js";
import { chooseSimd, type Simd } from "./features.js";
import { WasmFfn } from "./ffn.js";
import { PooledEngine } from "./pool.js";
import { WasmTensor } from "./tensor.js";
import { chooseThreads } from "./threads.js";

export interface WasmOptions {
  /** `plain` or `relaxed` SIMD; by default the best there is. One that is asked for and missing is an error. */
  readonly simd?: Simd;
  /**
   * How many threads compute, the calling one included: a whole number from 1 to 64. By default as many as the machine
   * runs at once, at most 8, and one where memory cannot be shared. More than one that is asked for and impossible is an
   * error. The others start with the first call that is large enough to share.
   */
  readonly threads?: number;
}

/**
 * The WebAssembly backend.
 *
 * @example
 * const backend = await wasm();
 * const y = await backend.activate(swiglu, { gate, up }, { beta: 1 });
 * backend.dispose();
 */
export async function wasm(options: WasmOptions = {}): Promise<SyncBackend> {
  const simd = chooseSimd(options.simd);
  const threads = chooseThreads(options.threads);
  const asked = options.threads !== undefined;
  return new WasmBackend(
    threads === 1 ? new SingleThreadEngine(simd) : new PooledEngine({ simd, threads, asked }),
  );
}

class WasmBackend implements SyncBackend {
  readonly name = "wasm";
  private disposed = false;

  constructor(private readonly engine: Engine) {}

  get threads(): number {
    return this.engine.threads;
  }

  activateSync<A extends Activation, D extends Data = Float32Array>(
    activation: A,
    inputs: ActivationInputs<A>,
    parameters?: Parameters<A, ParameterValue>,
    options: ActivateOptions<D> = {},
  ): D {
    const plan = this.plan(activation, inputs, parameters);
    const out: Data = options.out ?? new Float32Array(plan.count);
    checkLength(checkData(out, "out"), "out", plan.count);
    return this.withScratch((scratch) => {
      const target =
        out instanceof Float32Array ? scratch.place(plan.count) : this.address(out, "out", scratch);
      forward(this.engine, plan, this.addresses(plan, scratch), target, scratch);
      if (out instanceof Float32Array) out.set(this.engine.heap.at(target, plan.count));
      return out as D;
    });
  }

  activateBackwardSync<
    A extends Activation,
    I extends ActivationInputs<A>,
    O extends GradientOutputs = Record<never, never>,
  >(
    activation: A,
    inputs: I,
    dy: Data,
    parameters?: Parameters<A, ParameterValue>,
    options?: BackwardOptions<O>,
  ): ActivationGradients<A, I, O> {
    const plan = this.plan(activation, inputs, parameters);
    checkLength(checkData(dy, "dy"), "dy", plan.count);
    return this.withScratch((scratch) => {
      const slope = this.address(dy, "dy", scratch);
      const outputs = gradientOutputs(plan, dy, options?.out);
      const places = outputs.map(({ name, count, out }) =>
        out === undefined || out instanceof Float32Array
          ? scratch.place(count)
          : this.address(out, `out.${name}`, scratch),
      );
      const gradients = plan.inputs.map((_, i) => (plan.packed ? places[0] : places[i]) as number);
      const sums = backward(this.engine, plan, this.addresses(plan, scratch), slope, gradients, scratch);
      const named = outputs.map(({ name, count, out }, i) => {
        const result = this.engine.heap.at(places[i] as number, count);
        if (out instanceof Float32Array) out.set(result);
        return [name, out ?? result.slice()];
      });
      return { ...Object.fromEntries(named), ...sums } as ActivationGradients<A, I, O>;
    });
  }

  async activate<A extends Activation, D extends Data = Float32Array>(
    activation: A,
    inputs: ActivationInputs<A>,
    parameters?: Parameters<A, ParameterValue>,
    options?: ActivateOptions<D>,
  ): Promise<D> {
    return this.activateSync(activation, inputs, parameters, options);
  }

  async activateBackward<
    A extends Activation,
    I extends ActivationInputs<A>,
    O extends GradientOutputs = Record<never, never>,
  >(
    activation: A,
    inputs: I,
    dy: Data,
    parameters?: Parameters<A, ParameterValue>,
    options?: BackwardOptions<O>,
  ): Promise<ActivationGradients<A, I, O>> {
    return this.activateBackwardSync(activation, inputs, dy, parameters, options);
  }

  tensor(data: Float32Array, shape: readonly number[]): Tensor {
    this.alive();
    if (!(data instanceof Float32Array)) throw new TypeError("data must be a Float32Array");
    checkLength(data, "data", sizeOf(shape));
    return new WasmTensor(this.engine, data, [...shape]);
  }

  async ffn<W extends FfnWeights>(options: FfnOptions<W>): Promise<Ffn<W>> {
    this.alive();
    return this.block(planFfn(options), options.recompute);
  }

  async gatedFfn<W extends GatedFfnWeights>(options: GatedFfnOptions<W>): Promise<Ffn<W>> {
    this.alive();
    return this.block(planGatedFfn(options), options.recompute);
  }

  dispose(): void {
    if (!this.disposed) this.engine.dispose();
    this.disposed = true;
  }

  private plan(activation: Activation, inputs: object, parameters: object | undefined): ActivationPlan {
    this.alive();
    return planActivation(activation, inputs, parameters);
  }

  private withScratch<R>(work: (scratch: Scratch) => R): R {
    const scratch = new Scratch(this.engine);
    try {
      return work(scratch);
    } finally {
      scratch.release();
    }
  }

  /** Where the inputs are, in the order of the plan; one that serves for gate and up is placed once. */
  private addresses(plan: ActivationPlan, scratch: Scratch): number[] {
    const placed = new Map<Data, number>();
    return plan.inputs.map(({ name, data }) => {
      const address = placed.get(data) ?? this.address(data, name, scratch);
      placed.set(data, address);
      return address;
    });
  }

  private address(data: Data, name: string, scratch: Scratch): number {
    if (data instanceof Float32Array) return scratch.place(data);
    return this.tensorAddress(data, name);
  }

  private tensorAddress(data: Tensor, name: string): number {
    if (data instanceof WasmTensor && data.engine === this.engine) return data.address;
    throw new TypeError(`${name} is a tensor of another backend: read() it and pass the array`);
  }

  private block<W>(plan: FfnPlan, recompute = false): Ffn<W> {
    return new WasmFfn<W>(this.engine, plan, (data, name) => this.numbers(data, name), recompute);
  }

  /** Looks into data: an array itself, or a tensor's place in the heap. */
  private numbers(data: Data, name: string): Float32Array {
    this.alive();
    return data instanceof Float32Array
      ? data
      : this.engine.heap.at(this.tensorAddress(data, name), data.length);
  }

  private alive(): void {
    if (this.disposed) throw new Error("this backend is disposed: create a new one with await wasm()");
  }
}
