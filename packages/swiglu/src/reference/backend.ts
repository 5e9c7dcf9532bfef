// The reference backend: plain JavaScript, float64 inside, float32 in and out. The yardstick for all other backends.
import type {
  ActivateOptions,
  ActivationGradients,
  ActivationInputs,
  BackwardOptions,
  Ffn,
  GradientOutputs,
  SyncBackend,
} from "../backend/backend.js";
import {
  type ActivationPlan,
  checkData,
  checkLength,
  gradientOutputs,
  planActivation,
} from "../backend/check.js";
import type { Data, ParameterValue, Tensor } from "../backend/data.js";
import {
  type FfnOptions,
  type FfnPlan,
  type FfnWeights,
  type GatedFfnOptions,
  type GatedFfnWeights,
  planFfn,
  planGatedFfn,
} from "../backend/ffn.js";
import type { Activation, Parameters } from "../catalogue/activation.js";
import { sizeOf } from "../layout.js";
import { activateInto, differentiateInto, type Operand } from "./elementwise.js";
import { ReferenceFfn } from "./ffn.js";

/**
 * The reference backend. It is exact rather than fast (tens of nanoseconds an element); use it to check others.
 *
 * @example
 * const backend = await reference();
 * const y = await backend.activate(swiglu, { gate, up }, { beta: 1 });
 */
export async function reference(): Promise<SyncBackend> {
  return new ReferenceBackend();
}

/** A tensor of the reference is an array with a shape. */
class ReferenceTensor implements Tensor {
  readonly length: number;

  constructor(
    readonly owner: ReferenceBackend,
    private contents: Float32Array | undefined,
    readonly shape: readonly number[],
  ) {
    this.length = sizeOf(shape);
  }

  get data(): Float32Array {
    if (this.contents === undefined) throw new Error("this tensor is disposed: make a new one");
    return this.contents;
  }

  async read(): Promise<Float32Array> {
    return this.data.slice();
  }

  dispose(): void {
    this.contents = undefined;
  }
}

class ReferenceBackend implements SyncBackend {
  readonly name = "reference";
  readonly threads = 1;
  private disposed = false;

  activateSync<A extends Activation, D extends Data = Float32Array>(
    activation: A,
    inputs: ActivationInputs<A>,
    parameters?: Parameters<A, ParameterValue>,
    options: ActivateOptions<D> = {},
  ): D {
    const plan = this.plan(activation, inputs, parameters);
    // Computed aside, so that `out` may overlap an input in any way.
    const y = new Float32Array(plan.count);
    activateInto(y, activation, this.operands(plan), plan.parameters);
    if (options.out === undefined) return y as Data as D;
    const target = this.read(checkData(options.out, "out"), "out");
    checkLength(target, "out", plan.count);
    target.set(y);
    return options.out;
  }

  activateBackwardSync<
    A extends Activation,
    I extends ActivationInputs<A>,
    O extends GradientOutputs = Record<never, never>,
  >(
    activation: A,
    inputs: I,
    dy: Data,
    parameters?: Parameters<A, ParameterValue>,
    options?: BackwardOptions<O>,
  ): ActivationGradients<A, I, O> {
    const plan = this.plan(activation, inputs, parameters);
    const slope = this.read(checkData(dy, "dy"), "dy");
    checkLength(slope, "dy", plan.count);
    const outputs = gradientOutputs(plan, dy, options?.out);
    const results = outputs.map(({ count }) => new Float32Array(count));
    const gradients = plan.inputs.map(({ view }, i) => ({
      data: results[plan.packed ? 0 : i] as Float32Array,
      view,
    }));
    const sums = differentiateInto(gradients, activation, this.operands(plan), plan.parameters, slope);
    const named = outputs.map(({ name, out }, i) => {
      if (out !== undefined) this.read(out, `out.${name}`).set(results[i] as Float32Array);
      return [name, out ?? results[i]];
    });
    return { ...Object.fromEntries(named), ...sums } as ActivationGradients<A, I, O>;
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
  >(
    activation: A,
    inputs: I,
    dy: Data,
    parameters?: Parameters<A, ParameterValue>,
    options?: BackwardOptions<O>,
  ): Promise<ActivationGradients<A, I, O>> {
    return this.activateBackwardSync(activation, inputs, dy, parameters, options);
  }

  tensor(data: Float32Array, shape: readonly number[]): Tensor {
    this.alive();
    if (!(data instanceof Float32Array)) throw new TypeError("data must be a Float32Array");
    checkLength(data, "data", sizeOf(shape));
    return new ReferenceTensor(this, data.slice(), [...shape]);
  }

  async ffn<W extends FfnWeights>(options: FfnOptions<W>): Promise<Ffn<W>> {
    return this.block(planFfn(options));
  }

  async gatedFfn<W extends GatedFfnWeights>(options: GatedFfnOptions<W>): Promise<Ffn<W>> {
    return this.block(planGatedFfn(options));
  }

  dispose(): void {
    this.disposed = true;
  }

  private block<W>(plan: FfnPlan): Ffn<W> {
    this.alive();
    return new ReferenceFfn(plan, (data, name) => this.read(data, name));
  }

  private plan(activation: Activation, inputs: object, parameters: object | undefined): ActivationPlan {
    this.alive();
    return planActivation(activation, inputs, parameters);
  }

  private operands(plan: ActivationPlan): Operand[] {
    return plan.inputs.map(({ name, data, view }) => ({ data: this.read(data, name), view }));
  }

  private read(data: Data, name: string): Float32Array {
    this.alive();
    if (data instanceof Float32Array) return data;
    if (data instanceof ReferenceTensor && data.owner === this) return data.data;
    throw new TypeError(`${name} is a tensor of another backend: read() it and pass the array`);
  }

  private alive(): void {
    if (this.disposed) throw new Error("this backend is disposed: create a new one with await reference()");
  }
}
