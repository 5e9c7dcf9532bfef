// What backends compute on: typed arrays, or tensors that stay in a backend's memory between calls.

/** Data that stays in a backend's memory between calls; made by `backend.tensor(data, shape)`. */
export interface Tensor {
  readonly shape: readonly number[];
  /** The number of elements. */
  readonly length: number;
  /** Copies the data out. */
  read(): Promise<Float32Array>;
  /** Frees the memory; using the tensor afterwards is an error. May be called twice. */
  dispose(): void;
}

/** What calls accept and return: a typed array, or a tensor of the same backend. */
export type Data = Float32Array | Tensor;

/** A parameter: a number, or one value for each channel (channel = element index mod length). */
export type ParameterValue = number | Float32Array;
