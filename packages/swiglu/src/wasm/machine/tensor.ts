// Tensors of the WebAssembly backend: an address in its heap, with a shape.
import type { Tensor } from "../../call/data.js";
import { sizeOf } from "../../layout.js";
import type { Engine } from "./engine.js";

export class WasmTensor implements Tensor {
  readonly length: number;
  private allocated: number | undefined;

  constructor(
    private readonly engine: Engine,
    data: Float32Array,
    readonly shape: readonly number[],
  ) {
    this.length = sizeOf(shape);
    this.allocated = engine.heap.allocate(this.length);
    engine.heap.at(this.allocated, this.length).set(data);
  }

  get address(): number {
    if (this.allocated === undefined) throw new Error("this tensor is disposed: make a new one");
    return this.allocated;
  }

  async read(): Promise<Float32Array> {
    return this.engine.heap.at(this.address, this.length).slice();
  }

  dispose(): void {
    if (this.allocated !== undefined) this.engine.heap.release(this.allocated);
    this.allocated = undefined;
  }
}
