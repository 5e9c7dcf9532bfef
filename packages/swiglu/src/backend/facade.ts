// The facade of all backends, whether they answer at once or with promises. It checks calls, chooses outputs, returns results, and
// refuses calls after `dispose`. A backend supplies the computation of checked calls, its tensors and its blocks: `BackendParts`.
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
  /** How a user makes such a backend, for messages: "await wasm()". */
  readonly made: string;
  /** Throws where the backend can compute no more, for instance because its device is lost. */
  alive?(): void;
  /** Writes the activation's value to `out`, which may be an input. */
  forward(plan: ActivationPlan, out: Named): Answer<void>;
  /**
   * Writes the gradients of the inputs (a packed input has one). Returns those of the parameters by name, or none if
   * `parameterGradients` is false.
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
  /** Frees all that the backend has. It is called once. */
  dispose(): void;
}

/** The parts of a backend that answers at once. */
export interface SyncParts extends BackendParts {
  forward(plan: ActivationPlan, out: Named): void;
  backward(...call: BackwardArguments): Record<string, ParameterValue>;
}
type BackwardArguments = globalThis.Parameters<BackendParts["backward"]>;

export class BackendFacade<P extends BackendParts = BackendParts> implements Backend {
  private disposed = false;
  /** The blocks that are not disposed yet. They are disposed with the backend. */
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

  /** Throws an Error if the backend is disposed, or can compute no more. */
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

  /** The arguments of `backward` for a checked call, and by name the gradients of inputs, which that will write. */
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

/** The facade of a backend that answers at once: it has both forms of each elementwise call. */
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
