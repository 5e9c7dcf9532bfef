// What backends compute on: typed arrays, or tensors, which stay in a backend's memory between calls.

import type { PackedLayout } from "../layout.js";

/** Data that stays in a backend's memory between calls. `backend.tensor(data, shape)` makes one. */
export interface Tensor {
  readonly shape: readonly number[];
  /** The number of elements. */
  readonly length: number;
  /** Copies the data out. */
  read(): Promise<Float32Array>;
  /** Frees the memory. Using the tensor afterwards is an error. May be called twice. */
  dispose(): void;
}

/** What calls accept and return: a typed array, or a tensor of the same backend. */
export type Data = Float32Array | Tensor;

/** Gate and up in one tensor; see `PackedLayout`. */
export interface PackedInput {
  readonly packed: Data;
  /** The packed tensor's shape. */
  readonly shape: readonly number[];
  /** The axis that holds both, default the last; negative axes count from the end. */
  readonly axis?: number;
  readonly layout: PackedLayout;
}

/** A parameter: a number, or one value for each channel (channel = element index mod length). */
export type ParameterValue = number | Float32Array;

/** Where a call writes: by default to a new array; `out` may be one of the inputs, or overlap them. */
export interface ActivateOptions<D extends Data = Data> {
  readonly out?: D;
}

/** Data that a call uses, and its name in error messages. */
export interface Named {
  readonly name: string;
  readonly data: Data;
}

/** A result, or the promise of one: backends may answer either way. */
export type Answer<T> = T | Promise<T>;
