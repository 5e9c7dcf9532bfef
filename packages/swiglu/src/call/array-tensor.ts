// The tensors of backends that compute on arrays of JavaScript: an array with a shape.
import { sizeOf } from "../layout.js";
import { isFloat32Array } from "./arrays.js";
import type { Data, Tensor } from "./data.js";
import { Tensors } from "./tensors.js";

export class ArrayTensor implements Tensor {
  readonly length: number;

  constructor(
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

/** The tensors of one backend, which finds the numbers of data through them. */
export class ArrayTensors extends Tensors<ArrayTensor> {
  make(data: Float32Array, shape: readonly number[]): ArrayTensor {
    return this.add(new ArrayTensor(new Float32Array(data), shape));
  }

  /** The numbers of data: an array itself, or the array of a tensor. */
  numbers(data: Data, name: string): Float32Array {
    return isFloat32Array(data) ? data : this.of(data, name).data;
  }
}
