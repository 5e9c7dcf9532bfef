// What backends that can return results at once have in common: checks at the edge, outputs, both forms of each call.
// A backend adds how it computes a checked call, and what its tensors and blocks are.

import {
  type FfnOptions,
  type FfnPlan,
  type FfnWeights,
  type GatedFfnOptions,
  type GatedFfnWeights,
  planFfn,
  planGatedFfn,
} from "../block/plan.js";
import {
  type ActivationPlan,
  checkArray,
  checkLength,
  gradientOutputs,
  planActivation,
  resultOutput,
} from "../call/check.js";
import type { Data, ParameterValue, Tensor } from "../call/data.js";
import type { Activation, Parameters } from "../catalogue/activation.js";
import { sizeOf } from "../layout.js";
import type {
  ActivateOptions,
  ActivationGradients,
  ActivationInputs,
  BackwardOptions,
  Ffn,
  GradientOutputs,
  SyncBackend,
} from "./backend.js";

/** An output of a call: where to write, and the name that errors give it. */
export interface Output {
  readonly name: string;
  readonly data: Data;
}

export abstract class SynchronousBackend implements SyncBackend {
  abstract readonly name: string;
  abstract readonly threads: number;
  private disposed = false;

  /** Writes the activation's value to `out`, which may be an input. */
  protected abstract forward(plan: ActivationPlan, out: Output): void;
  /**
   * Writes the gradients of the inputs, one output for a packed input; returns those of the parameters by name, or none
   * if they are not asked for.
   */
  protected abstract backward(
    plan: ActivationPlan,
    dy: Output,
    gradients: readonly Output[],
    parameterGradients: boolean,
  ): Record<string, ParameterValue>;
  protected abstract makeTensor(data: Float32Array, shape: readonly number[]): Tensor;
  protected abstract makeBlock<W>(plan: FfnPlan, recompute: boolean): Ffn<W>;
  /** Frees what the backend holds; called once. */
  protected abstract release(): void;

  activateSync<A extends Activation, D extends Data = Float32Array>(
    activation: A,
    inputs: ActivationInputs<A>,
    parameters?: Parameters<A, ParameterValue>,
    options: ActivateOptions<D> = {},
  ): D {
    this.alive();
    const plan = planActivation(activation, inputs, parameters);
    const out = resultOutput(plan.count, options.out);
    this.forward(plan, { name: "out", data: out });
    return out as D;
  }

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
  ): ActivationGradients<A, I, O, P> {
    this.alive();
    const plan = planActivation(activation, inputs, parameters);
    const outputs = gradientOutputs(plan, dy, options?.out);
    const sums = this.backward(
      plan,
      { name: "dy", data: dy },
      outputs.map(({ name, data }) => ({ name: `out.${name}`, data })),
      options?.parameterGradients ?? true,
    );
    const named = outputs.map(({ name, data }) => [name, data]);
    return { ...Object.fromEntries(named), ...sums } as ActivationGradients<A, I, O, P>;
  }

  async activate<A extends Activation, D extends Data = Float32Array>(
    activation: A,
    inputs: ActivationInputs<A>,
    parameters?: Parameters<A, ParameterValue>,
    options?: ActivateOptions<D>,
  ): Promise<D> {
    return this.activateSync(activation, inputs, parameters, options);
  }

  async activateBackward<
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
  ): Promise<ActivationGradients<A, I, O, P>> {
    return this.activateBackwardSync(activation, inputs, dy, parameters, options);
  }

  tensor(data: Float32Array, shape: readonly number[]): Tensor {
    this.alive();
    checkLength(checkArray(data, "data"), "data", sizeOf(shape));
    return this.makeTensor(data, [...shape]);
  }

  async ffn<W extends FfnWeights>(options: FfnOptions<W>): Promise<Ffn<W>> {
    this.alive();
    return this.makeBlock(planFfn(options), options.recompute ?? false);
  }

  async gatedFfn<W extends GatedFfnWeights>(options: GatedFfnOptions<W>): Promise<Ffn<W>> {
    this.alive();
    return this.makeBlock(planGatedFfn(options), options.recompute ?? false);
  }

  dispose(): void {
    if (!this.disposed) this.release();
    this.disposed = true;
  }

  /** Throws an Error once the backend is disposed. */
  protected alive(): void {
    if (this.disposed)
      throw new Error(`this backend is disposed: create a new one with await ${this.name}()`);
  }
}
