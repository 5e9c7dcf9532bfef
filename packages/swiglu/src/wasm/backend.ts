// The WebAssembly backend: kernels assembled from expressions at run time, fused, SIMD, on one thread or several.

import type { SyncBackend } from "../backend/backend.js";
import { SyncBackendFacade, type SyncParts } from "../backend/facade.js";
import type { BlockParts } from "../block/facade.js";
import type { BlockPlan } from "../block/plan.js";
import { isFloat32Array } from "../call/arrays.js";
import type { ActivationPlan } from "../call/check.js";
import type { Data, Named, ParameterValue, Tensor } from "../call/data.js";
import { Tensors } from "../call/tensors.js";
import { chooseThreads } from "../host/threads.js";
import { WasmBlock } from "./block/block.js";
import { backward, forward } from "./elementwise/activate.js";
import { type Engine, SingleThreadEngine } from "./machine/engine.js";
import { chooseSimd, type Simd } from "./machine/features.js";
import { MemoryRefusedError } from "./machine/heap.js";
import { type Scratch, withScratch } from "./machine/scratch.js";
import { WasmTensor } from "./machine/tensor.js";
import { PooledEngine } from "./threads/pool.js";

export interface WasmOptions {
  /** `plain` or `relaxed` SIMD; by default the best there is. One that is asked for and missing is an error. */
  readonly simd?: Simd;
  /**
   * How many threads compute, the calling one included: a whole number from 1 to 64. By default as many as the machine
   * runs at once, at most 8, and one where memory cannot be shared or the engine refuses to set it aside. More than one that
   * is asked for and impossible is an error. The others start with the first call that is large enough to share.
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
  return new SyncBackendFacade(new WasmParts(openEngine(simd, options.threads)));
}

/** Opens an engine. Where the caller asked for no number of threads and memory cannot be shared, it has one thread. */
function openEngine(simd: Simd, asked: number | undefined): Engine {
  const threads = chooseThreads(asked);
  if (threads > 1)
    try {
      return new PooledEngine({ simd, threads, asked: asked !== undefined });
    } catch (error) {
      if (!(error instanceof MemoryRefusedError)) throw error;
      if (asked !== undefined)
        throw new Error(`threads is ${asked}, but ${error.message}: leave threads out`, { cause: error });
    }
  return new SingleThreadEngine(simd);
}

/** Copies arrays into the heap and out of it. Tensors are there already. */
class WasmParts implements SyncParts {
  readonly name = "wasm";
  readonly made = "await wasm()";
  private readonly tensors = new Tensors<WasmTensor>();

  constructor(private readonly engine: Engine) {}

  get threads(): number {
    return this.engine.threads;
  }

  forward(plan: ActivationPlan, out: Named): void {
    withScratch(this.engine, (scratch) => {
      const target = this.room(out, scratch);
      forward(this.engine, plan, this.addresses(plan, scratch), target, scratch);
      this.collect(out, target);
    });
  }

  backward(
    plan: ActivationPlan,
    dy: Named,
    gradients: readonly Named[],
    parameterGradients: boolean,
  ): Record<string, ParameterValue> {
    return withScratch(this.engine, (scratch) => {
      const slope = this.address(dy, scratch);
      const rooms = gradients.map((gradient) => this.room(gradient, scratch));
      const targets = plan.inputs.map((_, i) => rooms[plan.packed ? 0 : i] as number);
      const inputs = this.addresses(plan, scratch);
      const sums = backward(this.engine, plan, inputs, slope, targets, scratch, parameterGradients);
      gradients.forEach((gradient, i) => {
        this.collect(gradient, rooms[i] as number);
      });
      return sums;
    });
  }

  tensor(data: Float32Array, shape: readonly number[]): Tensor {
    return this.tensors.add(new WasmTensor(this.engine, data, shape));
  }

  block(plan: BlockPlan, recompute: boolean): BlockParts<unknown> {
    return new WasmBlock(this.engine, plan, (named) => this.numbers(named), recompute);
  }

  dispose(): void {
    this.engine.dispose();
  }

  /** The addresses of the inputs, in the order of the plan. A tensor that is both gate and up is copied once. */
  private addresses(plan: ActivationPlan, scratch: Scratch): number[] {
    const known = new Map<Data, number>();
    return plan.inputs.map((input) => {
      const address = known.get(input.data) ?? this.address(input, scratch);
      known.set(input.data, address);
      return address;
    });
  }

  private address({ data, name }: Named, scratch: Scratch): number {
    return isFloat32Array(data) ? scratch.allocate(data) : this.tensors.of(data, name).address;
  }

  /** The address where an output is computed: that of the tensor, or scratch for an array. */
  private room({ name, data }: Named, scratch: Scratch): number {
    return isFloat32Array(data) ? scratch.allocate(data.length) : this.tensors.of(data, name).address;
  }

  /** Copies a computed output to its array. A tensor has it already. */
  private collect({ data }: Named, address: number): void {
    if (isFloat32Array(data)) data.set(this.engine.heap.at(address, data.length));
  }

  /** The numbers of data: the array itself, or the tensor's part of the heap. */
  private numbers({ data, name }: Named): Float32Array {
    return isFloat32Array(data)
      ? data
      : this.engine.heap.at(this.tensors.of(data, name).address, data.length);
  }
}
