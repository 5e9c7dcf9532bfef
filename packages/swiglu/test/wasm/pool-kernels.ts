// Kernels that show what the pool of threads does: who meets whom, what ran how often, what takes long, what fails.
import { setTimeout as delay } from "node:timers/promises";
import { brIf, loop } from "../../src/wasm/assembler/code.js";
import { atomics, drop, i32 } from "../../src/wasm/assembler/instructions.js";
import type { LoadedModule } from "../../src/wasm/machine/engine.js";
import { addKernel, kernel } from "../../src/wasm/machine/signature.js";
import { PooledEngine } from "../../src/wasm/threads/pool.js";

/** What each takes: the addresses of words, and how often it goes round. */
const meet = kernel("meet", { here: "i32", there: "i32", turns: "i32" });
export const count = kernel("count", { address: "i32" });
export const linger = kernel("linger", { address: "i32", turns: "i32" });
const store = kernel("store", { address: "i32" });

export function poolKernels(engine: PooledEngine): LoadedModule {
  return engine.load("pool test", (module) => {
    /** Says that it is here, then looks for the other one; ends when it sees it, or after `turns`. */
    addKernel(module, meet, (body, { here, there, turns }) => {
      const met = body.local("i32");
      return [
        atomics.store(here.get(), i32.const(1)),
        loop((again) => [
          met.set(atomics.load(there.get())),
          turns.set(i32.sub(turns.get(), i32.const(1))),
          brIf(again, i32.and(i32.eqz(met.get()), i32.gt_u(turns.get(), i32.const(0)))),
        ]),
        atomics.store(i32.add(here.get(), i32.const(4)), met.get()),
      ];
    });
    addKernel(module, count, (_, { address }) => [drop(atomics.add(address.get(), i32.const(1)))]);
    addKernel(module, linger, (_, { address, turns }) => [
      loop((again) => [
        atomics.store(address.get(), turns.get()),
        turns.set(i32.sub(turns.get(), i32.const(1))),
        brIf(again, i32.gt_u(turns.get(), i32.const(0))),
      ]),
    ]);
    addKernel(module, store, (_, { address }) => [atomics.store(address.get(), i32.const(1))]);
  });
}

/** Whether two groups of one call run at the same time: neither can see the other unless both have begun. */
export function meets(engine: PooledEngine, module = poolKernels(engine)): boolean {
  const place = engine.heap.allocate(4);
  engine.heap.at(place, 4).fill(0);
  const turns = 1_000_000_000;
  module.run(meet, [[{ here: place, there: place + 8, turns }], [{ here: place + 8, there: place, turns }]]);
  const seen = new Int32Array(engine.heap.memory.buffer, place, 4).every((value) => value === 1);
  engine.heap.release(place);
  return seen;
}

/** Starts the workers and waits until `helpers` of them are up. */
export async function untilUp(engine: PooledEngine, helpers = engine.threads - 1): Promise<void> {
  const module = poolKernels(engine);
  const place = engine.heap.allocate(1);
  for (let turn = 0; turn < 1000; turn++) {
    module.run(count, [[{ address: place }], [{ address: place }]]);
    if (engine.helpers === helpers) return;
    await delay(10);
  }
  throw new Error(`${engine.helpers} workers are up after 10 s, expected ${helpers}`);
}

/** The pool behind a backend. */
export function poolOf(backend: object): PooledEngine {
  const engine: unknown = Reflect.get(Reflect.get(backend, "parts"), "engine");
  if (!(engine instanceof PooledEngine)) throw new Error("this backend has no pool");
  return engine;
}
