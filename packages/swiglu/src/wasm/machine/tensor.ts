// Tensors of the WebAssembly backend: numbers in its heap, with a shape.
import type { Tensor } from "../../call/data.js";
import { sizeOf } from "../../layout.js";
import type { Engine } from "./engine.js";

export class WasmTensor implements Tensor {
  readonly length: number;
  private place: number | undefined;

  constructor(
    private readonly engine: Engine,
    data: Float32Array,
    readonly shape: readonly number[],
  ) {
    this.length = sizeOf(shape);
    this.place = engine.heap.allocate(this.length);
    engine.heap.at(this.place, this.length).set(data);
  }

  get address(): number {
    if (this.place === undefined) throw new Error("this tensor is disposed: make a new one");
    return this.place;
  }

  async read(): Promise<Float32Array> {
    return this.engine.heap.at(this.address, this.length).slice();
  }

  dispose(): void {
    if (this.place !== undefined) this.engine.heap.release(this.place);
    this.place = undefined;
  }
}
