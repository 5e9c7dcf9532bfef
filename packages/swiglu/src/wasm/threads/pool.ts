// An engine on several threads: the calling thread and workers that share its memory. Workers are started by the first call that
// has work for more than one thread. Until they run, and for small calls, the calling thread works alone.
import { ModuleBuilder } from "../assembler/module.js";
import { type Engine, type KernelCall, LoadedModule } from "../machine/engine.js";
import type { Simd } from "../machine/features.js";
import { Heap } from "../machine/heap.js";
import { instantiate } from "../machine/instantiate.js";
import { Crew } from "./crew.js";
import type { Code } from "./protocol.js";
import { type StartWorker, startWorker } from "./worker-start.js";

export interface PoolOptions {
  readonly simd: Simd;
  /** How many threads compute, the calling one included. */
  readonly threads: number;
  /** Whether the caller asked for that number. Then a worker that cannot start is an error; otherwise there are fewer threads. */
  readonly asked: boolean;
  readonly start?: StartWorker;
  readonly patience?: number;
}

export class PooledEngine implements Engine {
  readonly simd: Simd;
  readonly heap = new Heap(true);
  private readonly modules = new Map<string, LoadedModule>();
  private crew: Crew | undefined;

  constructor(private readonly options: PoolOptions) {
    this.simd = options.simd;
  }

  /** How many threads compute once all workers run. It is fewer where some could not start and the caller asked for no number. */
  get threads(): number {
    const { asked, threads } = this.options;
    return asked || this.crew?.refused === undefined ? threads : 1 + this.crew.up;
  }

  /** How many workers are running now, for tests and measurements. */
  get helpers(): number {
    return this.crew?.up ?? 0;
  }

  load(key: string, write: (module: ModuleBuilder) => void): LoadedModule {
    const known = this.modules.get(key);
    if (known !== undefined) return known;
    const builder = new ModuleBuilder(this.heap.type);
    write(builder);
    const bytes = builder.encode();
    const kernels = instantiate(bytes, this.heap.memory);
    const names = Object.keys(kernels);
    /** Where the module's bytes are in the heap, for workers. */
    let code: Code | undefined;
    const module = new LoadedModule((name, groups) => {
      const kernel = kernels[name];
      if (kernel === undefined) throw new Error(`module ${key} has no kernel ${name}`);
      const run = (calls: readonly KernelCall[]): void => {
        for (const call of calls) kernel(...call);
      };
      const crew = groups.length > 1 ? this.muster() : undefined;
      if (crew === undefined) {
        for (const calls of groups) run(calls);
      } else {
        code ??= this.share(bytes);
        crew.run(code, names.indexOf(name), groups, run);
      }
    });
    this.modules.set(key, module);
    return module;
  }

  /** The workers, or undefined while none is running. Starts them where there are none, or where one was lost. */
  private muster(): Crew | undefined {
    if (this.crew?.lost !== undefined) this.dismiss();
    const { simd: _, threads, asked, start = startWorker, patience = 10_000 } = this.options;
    this.crew ??= new Crew(this.heap, { workers: threads - 1, start, patience });
    if (asked && this.crew.refused !== undefined)
      throw new Error(
        `threads is ${threads}, but a worker could not start: ${this.crew.refused}. A page needs worker-src 'self' in its policy, and its bundle the worker's file, or else worker-src blob: (docs/wasm.md); or leave threads out`,
      );
    return this.crew.up > 0 ? this.crew : undefined;
  }

  private share(bytes: Uint8Array): Code {
    const address = this.heap.allocate(Math.ceil(bytes.length / 4));
    new Uint8Array(this.heap.memory.buffer, address, bytes.length).set(bytes);
    return { address, bytes: bytes.length };
  }

  private dismiss(): void {
    this.crew?.dispose();
    this.crew = undefined;
  }

  dispose(): void {
    this.dismiss();
    this.modules.clear();
  }
}
