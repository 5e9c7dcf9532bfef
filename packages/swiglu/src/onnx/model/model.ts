// ONNX graphs as plain data: the emitter produces it, any graph builder can take it, and the codec writes and reads it.
import type { ElementType, FloatType } from "./elements.js";

/** An attribute's value, with the type that ONNX gives it. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly string: string }
  | { readonly tensor: Omit<Initializer, "name"> }
  /** Inside a function: the value of that float attribute of the function. */
  | { readonly floatOf: string };

/** One operator applied to tensors, all by name. `domain` is absent for ONNX's own operators. */
export interface OnnxNode {
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly domain?: string;
}

/** A scalar (shape []): an initializer of a graph, or a Constant node of a function. */
export interface OnnxConstant {
  readonly name: string;
  readonly dtype: FloatType;
  readonly value: number;
}

/** Nodes in computing order, and the constants they use. */
export interface OnnxFragment {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
}

/** The size of an axis; a name stands for one that is known only at run time, such as `rows`. */
export type Dimension = number | string;

/** A tensor that a model takes or gives. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly Dimension[];
}

/** Data inside a model. */
export interface Initializer {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** An operator defined by a graph of others, inside the model that uses it. */
export interface OnnxFunction {
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Float attributes with their defaults. */
  readonly attributes: Readonly<Record<string, number>>;
  readonly nodes: readonly OnnxNode[];
  /** The operator set that its nodes are written in. */
  readonly opset: number;
}

/** An ONNX model; `encodeModel` makes its file. */
export interface Model {
  /** The version of ONNX's own operators. */
  readonly opset: number;
  /** Other operator sets that nodes use, by domain. */
  readonly domains?: Readonly<Record<string, number>>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: readonly Initializer[];
  readonly nodes: readonly OnnxNode[];
  readonly functions?: readonly OnnxFunction[];
}
