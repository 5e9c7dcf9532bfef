// One face for all backends, whether they answer at once or with promises: checks at the edge, outputs, results, and what has
// been disposed. A backend supplies how the checked calls are computed, its tensors and its blocks; see `BackendParts`.
import type { Ffn } from "../block/block.js";
import { BlockFacade, type BlockParts } from "../block/facade.js";
import { type BlockPlan, planFfn, planGatedFfn } from "../block/plan.js";
import type { FfnOptions, FfnWeights, GatedFfnOptions, GatedFfnWeights } from "../block/weights.js";
import {
  type ActivationPlan,
  checkArray,
  checkLength,
  gradientOutputs,
  planActivation,
  resultOutput,
} from "../call/check.js";
import type { ActivateOptions, Answer, Data, Named, ParameterValue, Tensor } from "../call/data.js";
import type { Activation, Parameters } from "../catalogue/activation.js";
import { sizeOf } from "../layout.js";
import type {
  ActivationGradients,
  ActivationInputs,
  Backend,
  BackwardOptions,
  GradientOutputs,
  SyncBackend,
} from "./backend.js";

/** How a backend computes what the facade has checked. */
export interface BackendParts {
  readonly name: string;
  readonly threads: number;
  /** How a user makes such a backend: "await wasm()". */
  readonly made: string;
  /** Throws where nothing can be computed any more, for a reason of the backend's own. */
  alive?(): void;
  /** Writes the activation's value to `out`, which may be an input. */
  forward(plan: ActivationPlan, out: Named): Answer<void>;
  /**
   * Writes the gradients of the inputs, one output for a packed input; returns those of the parameters by name, or none
   * if they are not asked for.
   */
  backward(
    plan: ActivationPlan,
    dy: Named,
    gradients: readonly Named[],
    parameterGradients: boolean,
  ): Answer<Record<string, ParameterValue>>;
  /** Copies data into the backend's memory. */
  tensor(data: Float32Array, shape: readonly number[]): Tensor;
  /** Copies the weights of a block. With `recompute`, its passes keep only x. */
  block(plan: BlockPlan, recompute: boolean): Answer<BlockParts<unknown>>;
  /** Frees what the backend holds; called once. */
  dispose(): void;
}

/** Parts that answer at once. */
export interface SyncParts extends BackendParts {
  forward(plan: ActivationPlan, out: Named): void;
  backward(...call: BackwardArguments): Record<string, ParameterValue>;
}
type BackwardArguments = globalThis.Parameters<BackendParts["backward"]>;

export class BackendFacade<P extends BackendParts = BackendParts> implements Backend {
  private disposed = false;
  /** Those that are not disposed: they end with the backend. */
  private readonly blocks = new Set<{ dispose(): void }>();

  constructor(protected readonly parts: P) {}

  get name(): string {
    return this.parts.name;
  }

  get threads(): number {
    return this.parts.threads;
  }

  async activate<A extends Activation, D extends Data = Float32Array>(
    activation: A,
    inputs: ActivationInputs<A>,
    parameters?: Parameters<A, ParameterValue>,
    options: ActivateOptions<D> = {},
  ): Promise<D> {
    const { plan, out } = this.planForward(activation, inputs, parameters, options);
    await this.parts.forward(plan, out);
    return out.data as D;
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
    const { call, gradients } = this.planBackward(activation, inputs, dy, parameters, options);
    return { ...gradients, ...(await this.parts.backward(...call)) } as ActivationGradients<A, I, O, P>;
  }

  tensor(data: Float32Array, shape: readonly number[]): Tensor {
    this.alive();
    checkLength(checkArray(data, "data"), "data", sizeOf(shape));
    return this.parts.tensor(data, [...shape]);
  }

  async ffn<W extends FfnWeights>(options: FfnOptions<W>): Promise<Ffn<W>> {
    this.alive();
    return this.block(planFfn(options), options.recompute);
  }

  async gatedFfn<W extends GatedFfnWeights>(options: GatedFfnOptions<W>): Promise<Ffn<W>> {
    this.alive();
    return this.block(planGatedFfn(options), options.recompute);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const block of this.blocks) block.dispose();
    this.parts.dispose();
  }

  /** Throws an Error once the backend is disposed, or cannot compute any more. */
  protected alive(): void {
    if (this.disposed) throw new Error(`this backend is disposed: create a new one with ${this.parts.made}`);
    this.parts.alive?.();
  }

  protected planForward(
    activation: Activation,
    inputs: object,
    parameters: object | undefined,
    options: ActivateOptions,
  ): { readonly plan: ActivationPlan; readonly out: Named } {
    this.alive();
    const plan = planActivation(activation, inputs, parameters);
    return { plan, out: { name: "out", data: resultOutput(plan.count, options.out) } };
  }

  /** A checked call of `backward`, and the gradients of inputs by name, which it writes. */
  protected planBackward(
    activation: Activation,
    inputs: object,
    dy: Data,
    parameters: object | undefined,
    options: BackwardOptions = {},
  ): { readonly call: BackwardArguments; readonly gradients: Readonly<Record<string, Data>> } {
    this.alive();
    const plan = planActivation(activation, inputs, parameters);
    const outputs = gradientOutputs(plan, dy, options.out);
    const named = outputs.map(({ name, data }) => ({ name: `out.${name}`, data }));
    return {
      call: [plan, { name: "dy", data: dy }, named, options.parameterGradients ?? true],
      gradients: Object.fromEntries(outputs.map(({ name, data }) => [name, data])),
    };
  }

  private async block<W>(plan: BlockPlan, recompute = false): Promise<Ffn<W>> {
    const parts = await this.parts.block(plan, recompute);
    const block: Ffn<W> = new BlockFacade<W, unknown>(plan, parts, {
      alive: () => this.parts.alive?.(),
      ended: () => this.blocks.delete(block),
    });
    this.blocks.add(block);
    return block;
  }
}

/** The same for parts that answer at once: both forms of each elementwise call. */
export class SyncBackendFacade<P extends SyncParts = SyncParts>
  extends BackendFacade<P>
  implements SyncBackend
{
  activateSync<A extends Activation, D extends Data = Float32Array>(
    activation: A,
    inputs: ActivationInputs<A>,
    parameters?: Parameters<A, ParameterValue>,
    options: ActivateOptions<D> = {},
  ): D {
    const { plan, out } = this.planForward(activation, inputs, parameters, options);
    this.parts.forward(plan, out);
    return out.data as D;
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
    const { call, gradients } = this.planBackward(activation, inputs, dy, parameters, options);
    return { ...gradients, ...this.parts.backward(...call) } as ActivationGradients<A, I, O, P>;
  }
}
