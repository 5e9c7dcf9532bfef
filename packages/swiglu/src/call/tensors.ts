// The tensors that a backend has made. A backend recognises its own tensors by this.
import type { Tensor } from "./data.js";

export class Tensors<T extends Tensor> {
  private readonly own = new WeakSet<Tensor>();

  add(tensor: T): T {
    this.own.add(tensor);
    return tensor;
  }

  /** A tensor as this backend made it. Throws a TypeError, which names the argument, for one that it did not make. */
  of(tensor: Tensor, name: string): T {
    if (this.own.has(tensor)) return tensor as T;
    throw new TypeError(`${name} is a tensor of another backend: read() it and pass the array`);
  }
}
