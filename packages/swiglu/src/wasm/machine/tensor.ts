// Tensors of the WebAssembly backend: numbers in its heap, with a shape.
import type { Tensor } from "../../call/data.js";
import { sizeOf } from "../../layout.js";
import type { Engine } from "./engine.js";

export class WasmTensor implements Tensor {
  readonly length: number;
  private held: number | undefined;

  constructor(
    private readonly engine: Engine,
    data: Float32Array,
    readonly shape: readonly number[],
  ) {
    this.length = sizeOf(shape);
    this.held = engine.heap.allocate(this.length);
    engine.heap.at(this.held, this.length).set(data);
  }

  get address(): number {
    if (this.held === undefined) throw new Error("this tensor is disposed: make a new one");
    return this.held;
  }

  async read(): Promise<Float32Array> {
    return this.engine.heap.at(this.address, this.length).slice();
  }

  dispose(): void {
    if (this.held !== undefined) this.engine.heap.release(this.held);
    this.held = undefined;
  }
}
