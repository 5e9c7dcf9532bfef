// The two ends of a model: how examples go in (ports, embedding, mask), and what is made of the scores that come out
// (head, loss, evaluation). The blocks between them are the same for all models.
import type { DType, ParameterLayout, Tensor } from "onnx-grad";
import type { PackedBatch } from "./packing.js";
import type { Normed, Weights } from "./projection.js";
import type { Inputs, ParameterSpec } from "./types.js";

/** What the model reads beside tokens where several sequences share a row. */
export interface Packing {
  /** [rows, context] (int32): the place of each token in its sequence. */
  readonly positions: Tensor;
  /** [places] (int32): the tokens that go through the head, of all first tokens of the rows, then all second ones, and so on. */
  readonly places: Tensor;
}

/** Tensors of a graph that take examples and their labels. */
export interface Ports {
  readonly inputs: Tensor;
  readonly labels: Tensor;
  readonly packing?: Packing | undefined;
}

/** What became of a call's worth of examples. */
interface Portion {
  readonly losses: Float32Array | Float64Array;
  /** Images that are labelled rightly. */
  readonly right: number;
}

/** Measures one call's worth of examples. */
export interface Measure {
  of(parameters: Float32Array, inputs: Inputs, labels: Int32Array): Promise<Portion>;
  dispose(): Promise<void>;
}

/** The whole model: the scores of what the ports take. */
export type Network = (ports: Pick<Ports, "inputs" | "packing">, weights: Weights) => Tensor;

export interface Ends {
  /** Whole numbers from 1, by name. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Tokens of an example inside the model. */
  readonly tokens: number;
  /** Scores that the head gives. */
  readonly scores: number;
  /** Rows of the head for each example. */
  readonly headRows: number;
  /** Numbers of an example, and what they are called. */
  readonly inputsPerExample: number;
  readonly inputNoun: string;
  readonly labelsPerExample: number;
  /** Examples that one call takes when a model is evaluated. */
  readonly evaluationBatch: number;
  /** Whether the share of examples that are labelled rightly is measured. */
  readonly hasAccuracy: boolean;

  /** What does not go together in the sizes, as a sentence; undefined where all does. */
  misfit(): string | undefined;

  /** The parameters of the embedding; learned positions are added for all models. */
  embeddingSpecs(width: number): ParameterSpec[];

  /** Ports for `count` examples. */
  ports(count: number): Ports;
  /** Data for the port that takes examples. */
  inputFeeds(inputs: Inputs): Record<string, Inputs>;
  /** Examples without anything in them. */
  blanks(count: number): Inputs;

  /** A batch in fewer rows, where that saves enough; never of images. */
  pack(inputs: Inputs, labels: Int32Array): PackedBatch | undefined;
  /** Ports for `rows` packed rows. */
  packedPorts(rows: number): Required<Ports>;

  /** The embedded inputs: tokens * count * width elements, all first tokens first. */
  embed(inputs: Tensor, weights: Weights): Tensor;
  /** The mask that is added to the scores of attention to hide tokens; undefined where every token is seen. */
  mask(dtype: DType, packing: Packing | undefined): Tensor | undefined;
  /** The scores of `count` examples, from the final norm of every token. */
  head(last: Normed, count: number, weights: Weights, packing: Packing | undefined): Tensor;

  /** The mean cross-entropy in nats, padding left out. */
  meanLoss(scores: Tensor, ports: Pick<Ports, "labels" | "packing">): Tensor;
  /** The scores as an exported model gives them, examples first. */
  exported(scores: Tensor): Tensor;

  /** Compiles what measures a model. */
  measure(network: Network, layout: ParameterLayout, threads: number): Promise<Measure>;

  /** Which of the model's rows have a label. A row is a token of an example; all first tokens come first. */
  countedRows(rows: number, labels: Int32Array): number[];
}
