// Memory of the heap for a limited time: for one call, or until a recorded pass is disposed.
import type { Engine } from "./engine.js";

/** Allocations that are released together. */
export class Scratch {
  private readonly addresses: number[] = [];

  constructor(private readonly engine: Engine) {}

  /** Allocates room for a number of float32 numbers, or a copy of the numbers given. Returns the address. */
  allocate(data: number | ArrayLike<number>): number {
    const count = typeof data === "number" ? data : data.length;
    const address = this.engine.heap.allocate(count);
    this.addresses.push(address);
    if (typeof data !== "number") this.engine.heap.at(address, count).set(data);
    return address;
  }

  release(): void {
    for (const address of this.addresses) this.engine.heap.release(address);
  }
}

/** Runs `work` with a scratch that is released afterwards, also when the work fails. */
export function withScratch<R>(engine: Engine, work: (scratch: Scratch) => R): R {
  const scratch = new Scratch(engine);
  try {
    return work(scratch);
  } finally {
    scratch.release();
  }
}
