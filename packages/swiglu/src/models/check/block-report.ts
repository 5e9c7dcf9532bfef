// What a report is made of: each block's properties with their evidence, and what is odd about the model.
import type { Role, Slot } from "../blocks/names.js";
import type { Model } from "../model.js";
import type { Field } from "./field.js";
import type { BlockLayout, Orientation } from "./shape.js";

/** What is known of one feed-forward block. */
export interface BlockReport {
  /** Its path in the model, the layer's number and the experts' left out. */
  readonly stack: string;
  readonly layer: number | undefined;
  readonly role: Role;
  /** A name of the catalogue; a unary one means `a(gate) * up` where the block has a gate. */
  readonly activation: Field<string>;
  readonly parameters: Field<Readonly<Record<string, number>>>;
  readonly layout: Field<BlockLayout>;
  readonly orientation: Field<Orientation>;
  readonly dModel: Field<number>;
  readonly dFf: Field<number>;
  readonly experts: Field<number>;
  readonly biases: Field<readonly Slot[]>;
  /** How the numbers are stored. */
  readonly stored: Field<string>;
  /** What the block computes beside activation, gate and up; where there is any, it is not the plain block. */
  readonly extras: readonly string[];
}

/** What is known of a model. */
export interface Report {
  readonly format: Model["format"];
  /** `model_type` of the config, or GGUF's architecture; "" where neither is given. */
  readonly family: string;
  readonly blocks: readonly BlockReport[];
  /** What is odd, a sentence each, without repetitions. */
  readonly findings: readonly string[];
}
