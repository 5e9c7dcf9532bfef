// Feed-forward blocks and recorded passes as every backend offers them.
import type { ActivateOptions, Data, ParameterValue } from "../call/data.js";

/** A feed-forward block with its weights in a backend. Rows are independent; x is row-major [rows, dModel]. */
export interface Ffn<W> {
  /** Inference: computes y, [rows, dModel], into `out` or a new array. Keeps nothing. */
  forward<D extends Data = Float32Array>(
    x: Data,
    rows: number,
    options?: ActivateOptions<D>,
  ): Promise<NoInfer<D>>;
  /** Training: computes y, into `out` or a new array. Keeps what `backward` needs until the pass is disposed. */
  record<D extends Data = Float32Array>(
    x: Data,
    rows: number,
    options?: ActivateOptions<D>,
  ): Promise<Pass<W, NoInfer<D>>>;
  dispose(): void;
}

/** One recorded forward. Several may be alive at once, and backward may run more than once. */
export interface Pass<W, Y extends Data = Float32Array> {
  readonly y: Y;
  /**
   * The gradients of the sum of `dY * y`, in x, in every weight given, and, unless `options.parameterGradients` is false,
   * in the activation's parameters. Those that have an array or tensor in `out` are written there, the others into new arrays.
   */
  backward<O extends PassOutputs<W> = Record<never, never>>(
    dY: Data,
    options?: PassOptions<W, O>,
  ): Promise<FfnGradients<W, O>>;
  dispose(): void;
}

/** Arrays or tensors for the gradients of x and of weights, by name. */
export type PassOutputs<W> = { readonly x?: Data } & { readonly [N in keyof W]?: Data };
/** Options of `backward`. New arrays take time to make, so a training loop passes its own arrays, or tensors of the backend. */
export interface PassOptions<W, O extends PassOutputs<W> = PassOutputs<W>> {
  readonly out?: O;
  /** Whether to compute the gradients of the activation's parameters too. Default true; where they are fixed, false is faster. */
  readonly parameterGradients?: boolean;
}

/** Gradients by name: `x`, each weight and bias that was given, and each activation parameter unless they were left out. */
export type FfnGradients<W, O = Record<never, never>> = {
  readonly x: "x" extends keyof O ? O["x"] : Float32Array;
} & {
  readonly [N in keyof W]: N extends keyof O ? O[N] : Float32Array;
} & Readonly<Record<string, ParameterValue | O[keyof O]>>;
