// Tensors of backends that compute on arrays of JavaScript: an array with a shape.
import { sizeOf } from "../layout.js";
import type { Tensor } from "./data.js";

export class ArrayTensor implements Tensor {
  readonly length: number;

  constructor(
    /** The backend it belongs to. */
    readonly owner: object,
    private contents: Float32Array | undefined,
    readonly shape: readonly number[],
  ) {
    this.length = sizeOf(shape);
  }

  get data(): Float32Array {
    if (this.contents === undefined) throw new Error("this tensor is disposed: make a new one");
    return this.contents;
  }

  async read(): Promise<Float32Array> {
    return this.data.slice();
  }

  dispose(): void {
    this.contents = undefined;
  }
}
