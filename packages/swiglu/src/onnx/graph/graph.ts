// The description of a graph, before it becomes nodes, a file or a function: its tensors by name, its weights, and how it
// writes itself.

import type { Activation } from "../../catalogue/activation.js";
import type { View } from "../../layout.js";
import type { Dimension } from "../model/model.js";

/** A tensor that a graph takes on every run, or that it computes. */
export interface GraphTensor {
  readonly name: string;
  readonly shape: readonly Dimension[];
}

/** Data that belongs to a graph: weights, biases, parameters with one value per channel. */
export interface GraphWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** An activation, a dense layer or a feed-forward block; `toNodes`, `toFile`, `toModel` and `toFunction` write it. */
export interface Graph {
  /** The graph's name as a function; the names of its inner tensors begin with it. */
  readonly name: string;
  readonly inputs: readonly GraphTensor[];
  readonly weights: readonly GraphWeight[];
  /** Parameters of the activation that are fixed numbers. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly output: GraphTensor;
  readonly write: (writer: GraphWriter) => void;
}

/** The steps that a graph writes itself with. Each step takes the names of tensors, and returns the name of its result. */
export interface GraphWriter {
  /** The name of an input, a weight or the output, where the graph is being written. */
  tensor(name: string): string;
  /** `x W + b` with the weight of that name and its bias, if there is one. */
  product(x: string, weight: string, output?: string): string;
  /** The part of an axis of `size` elements that a view names. */
  part(x: string, axis: number, size: number, view: View): string;
  /** The activation of tensors in the order of its inputs. */
  activation(activation: Activation, inputs: readonly string[], output?: string): string;
}
