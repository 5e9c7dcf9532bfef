// A kernel's parameters, handed out in the order of its signature.
import type { ValueType } from "./code.js";
import type { Local } from "./module.js";

export class Arguments {
  private next = 0;
  constructor(private readonly all: readonly Local[]) {}

  /** The next parameter. Throws a TypeError where it has another type than expected. */
  take<T extends ValueType>(type: T): Local<T> {
    const local = this.all[this.next++];
    if (local?.type !== type) throw new TypeError(`kernel argument ${this.next} is not ${type}`);
    return local as Local<T>;
  }
}
