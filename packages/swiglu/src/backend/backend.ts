// The interface that every backend offers: activations on typed arrays and tensors, and feed-forward blocks.
// Results are promises, since a GPU is not synchronous. Backends that can answer at once also offer calls that end in `Sync`.

import type { Ffn } from "../block/block.js";
import type { FfnOptions, FfnWeights, GatedFfnOptions, GatedFfnWeights } from "../block/weights.js";
import type { ActivateOptions, Data, PackedInput, ParameterValue, Tensor } from "../call/data.js";
import type {
  Activation,
  InputName,
  Inputs,
  Kind,
  ParameterName,
  Parameters,
} from "../catalogue/activation.js";

/** The inputs of an activation: `{ x }`, `{ gate, up }`, or `{ packed, shape, axis, layout }` for a gated one. */
export type ActivationInputs<A extends Activation> =
  | Inputs<A, Data>
  | (A["kind"] extends "unary" ? never : PackedInput);

/** Arrays or tensors for the gradients of inputs, by name. */
export type GradientOutputs = Readonly<Partial<Record<InputName<Kind> | "packed", Data>>>;
/** What `activateBackward` computes, and where it writes gradients. */
export interface BackwardOptions<O extends GradientOutputs = GradientOutputs, P extends boolean = boolean> {
  /** Where the gradients of inputs go: by default to new arrays. They must not overlap each other, nor what the call reads. */
  readonly out?: O;
  /** Whether to compute the gradients of parameters too. Default true; where they are fixed, false is faster. */
  readonly parameterGradients?: P;
}

/**
 * Gradients of the inputs, by name (`packed` where the input was packed), each in the output given for it or a new
 * array; and of the parameters, in the shape given, unless they were left out.
 */
export type ActivationGradients<
  A extends Activation,
  I,
  O = Record<never, never>,
  P extends boolean = true,
> = {
  readonly [N in I extends PackedInput ? "packed" : InputName<A["kind"]>]: N extends keyof O
    ? O[N]
    : Float32Array;
} & (P extends true ? Readonly<Record<ParameterName<A>, ParameterValue>> : unknown);

/** One engine that computes activations and feed-forward blocks. Obtain one with `await reference()`. */
export interface Backend {
  readonly name: string;
  /** How many threads compute, the calling one included. */
  readonly threads: number;

  /**
   * `y = activation(inputs)`, elementwise, in the unpacked shape.
   * Throws a TypeError or RangeError that names the argument for wrong lengths, names, layouts or parameters.
   */
  activate<A extends Activation, D extends Data = Float32Array>(
    activation: A,
    inputs: ActivationInputs<A>,
    parameters?: Parameters<A, ParameterValue>,
    options?: ActivateOptions<D>,
  ): Promise<D>;

  /**
   * The gradients of the sum of `dy * y` in every input and, unless `options.parameterGradients` is false, in every
   * parameter; `dy` has the unpacked shape. Outputs given in `options.out` are written and returned.
   */
  activateBackward<
    A extends Activation,
    I extends ActivationInputs<A>,
    O extends GradientOutputs = Record<never, never>,
    P extends boolean = true,
  >(
    activation: A,
    inputs: I,
    dy: Data,
    parameters?: Parameters<A, ParameterValue>,
    options?: BackwardOptions<O, P>,
  ): Promise<ActivationGradients<A, I, O, P>>;

  /** Copies data into the backend's memory. */
  tensor(data: Float32Array, shape: readonly number[]): Tensor;

  /** A gated feed-forward block, `y = activation(x W + b, x V + c) W2 + d`; see `GatedFfnOptions`. */
  gatedFfn<W extends GatedFfnWeights>(options: GatedFfnOptions<W>): Promise<Ffn<W>>;
  /** An ungated feed-forward block, `y = activation(x W + b) W2 + d`; see `FfnOptions`. */
  ffn<W extends FfnWeights>(options: FfnOptions<W>): Promise<Ffn<W>>;

  /** Releases everything; later calls fail with an error. May be called twice. */
  dispose(): void;
}

/** The calls that a backend offers where it can return results at once. */
export interface SyncBackend extends Backend {
  activateSync<A extends Activation, D extends Data = Float32Array>(
    activation: A,
    inputs: ActivationInputs<A>,
    parameters?: Parameters<A, ParameterValue>,
    options?: ActivateOptions<D>,
  ): D;
  activateBackwardSync<
    A extends Activation,
    I extends ActivationInputs<A>,
    O extends GradientOutputs = Record<never, never>,
    P extends boolean = true,
  >(
    activation: A,
    inputs: I,
    dy: Data,
    parameters?: Parameters<A, ParameterValue>,
    options?: BackwardOptions<O, P>,
  ): ActivationGradients<A, I, O, P>;
}
