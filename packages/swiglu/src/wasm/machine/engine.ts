// Where kernels run: one memory, modules that are assembled on demand, and calls that are spread over threads.
// The engine in this file has the calling thread only. The pool (threads/pool.ts) offers the same interface with more threads.
import { ModuleBuilder } from "../assembler/module.js";
import type { Simd } from "./features.js";
import { Heap, type KernelHeap } from "./heap.js";
import { instantiate } from "./instantiate.js";
import { type Fields, type Given, type Kernel, numbersOf } from "./signature.js";

/** A call of a kernel as numbers, in the order of its signature. */
export type KernelCall = readonly number[];

/** A loaded module, whose kernels are called with records of arguments. */
export class LoadedModule {
  constructor(private readonly start: (kernel: string, groups: readonly (readonly KernelCall[])[]) => void) {}

  /** Runs calls of one kernel and returns when all are done. Each group of calls stays on one thread, in order. */
  run<S extends Fields>(kernel: Kernel<S>, groups: readonly (readonly Given<S>[])[]): void {
    this.start(
      kernel.name,
      groups.map((calls) => calls.map((call) => numbersOf(kernel, call))),
    );
  }
}

export interface Engine {
  readonly heap: KernelHeap;
  readonly simd: Simd;
  readonly threads: number;
  /** The module of a key. `write` adds its functions when the key is asked for the first time. */
  load(key: string, write: (module: ModuleBuilder) => void): LoadedModule;
  /** Stops all threads. */
  dispose(): void;
}

/** An engine on the calling thread, with a heap of its own or the one given. */
export class SingleThreadEngine implements Engine {
  readonly threads = 1;
  private readonly modules = new Map<string, LoadedModule>();

  constructor(
    readonly simd: Simd,
    readonly heap: KernelHeap = new Heap(false),
  ) {}

  load(key: string, write: (module: ModuleBuilder) => void): LoadedModule {
    const known = this.modules.get(key);
    if (known !== undefined) return known;
    const builder = new ModuleBuilder(this.heap.type);
    write(builder);
    const exports = instantiate(builder.encode(), this.heap.memory);
    const module = new LoadedModule((kernel, groups) => {
      const f = exports[kernel];
      if (f === undefined) throw new Error(`module ${key} has no kernel ${kernel}`);
      for (const group of groups) for (const call of group) f(...call);
    });
    this.modules.set(key, module);
    return module;
  }

  dispose(): void {
    this.modules.clear();
  }
}
