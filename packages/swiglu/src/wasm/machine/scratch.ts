// Memory of the heap for a limited time: for one call, or for as long as a recorded pass lives.
import type { Engine } from "./engine.js";

/** A number of allocations that are released together. */
export class Scratch {
  private readonly addresses: number[] = [];

  constructor(private readonly engine: Engine) {}

  /** Room for `count` numbers, or for these numbers. */
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

/** Does some work with memory that is released afterwards, also when the work fails. */
export function withScratch<R>(engine: Engine, work: (scratch: Scratch) => R): R {
  const scratch = new Scratch(engine);
  try {
    return work(scratch);
  } finally {
    scratch.release();
  }
}
