// ONNX graphs as plain data: what the emitter produces and what any builder or encoder can take.
// No protobuf here; `onnx-grad` encodes.

/** An attribute's value, with the type that ONNX gives it. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly string: string };

/** One operator applied to tensors, all by name. `domain` is absent for ONNX's own operators. */
export interface OnnxNode {
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly domain?: string;
}

/** A scalar initializer (shape []) of the float type that the graph computes in. */
export interface OnnxConstant {
  readonly name: string;
  readonly value: number;
}

/** Nodes in computing order, and the constants they use. */
export interface OnnxFragment {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
}
