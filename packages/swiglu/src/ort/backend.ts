// The ONNX Runtime backend: graphs made from expressions at run time, on a runtime that the caller hands in.
import { ArrayTensor } from "../backend/array-tensor.js";
import type {
  ActivateOptions,
  ActivationGradients,
  ActivationInputs,
  Backend,
  BackwardOptions,
  Ffn,
  GradientOutputs,
} from "../backend/backend.js";
import {
  type ActivationPlan,
  checkLength,
  gradientOutputs,
  planActivation,
  resultOutput,
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
import type { OnnxMath } from "../onnx/options.js";
import { backward, type Elementwise, forward } from "./activate.js";
import { OrtFfn } from "./ffn.js";
import { type Loader, loader, type OrtRuntime } from "./runtime.js";
import { Sessions } from "./sessions.js";

export interface OrtOptions {
  /** ONNX Runtime 1.30 or newer, whole: `import * as runtime from "onnxruntime-node"`, or `"onnxruntime-web"`. */
  readonly runtime: OrtRuntime;
  /**
   * How many threads compute. onnxruntime-node: a whole number from 1 to 64, by default as many as the machine runs at
   * once, at most 8. onnxruntime-web has its own setting, `env.wasm.numThreads`; another number here is an error.
   */
  readonly threads?: number;
  /**
   * `exact` (default): through Exp, within the error bound of `errorBound`. `fast`: the runtime's own Sigmoid, Tanh and
   * Erf, fewer nodes; its Sigmoid is off by 1e-5 of its value at -5 and 0 below -18, its Erf loses gelu's tail.
   */
  readonly math?: OnnxMath;
}

/**
 * A backend on ONNX Runtime: in Node the native one, whose products use the widest instructions of the processor.
 * Arrays given to a call must stay as they are until its promise is settled. Errors: a `runtime` that is none, and a
 * number of threads that is impossible.
 *
 * @example
 * // After: import * as runtime from "onnxruntime-node";
 * const backend = await ort({ runtime, threads: 2 });
 * const y = await backend.activate(swiglu, { gate, up }, { beta: 1 });
 * backend.dispose();
 */
export async function ort({ runtime, threads, math = "exact" }: OrtOptions): Promise<Backend> {
  if (math !== "exact" && math !== "fast")
    throw new RangeError(`math is ${JSON.stringify(math)}, expected "exact" or "fast"`);
  return new OrtBackend(await loader(runtime, threads), math);
}

class OrtBackend implements Backend {
  readonly name = "ort";
  private readonly sessions: Sessions;
  private readonly elementwise: Elementwise;
  private readonly blocks = new Set<{ dispose(): void }>();

  constructor(
    private readonly loader: Loader,
    private readonly math: OnnxMath,
  ) {
    this.sessions = new Sessions(
      loader,
      "this backend is disposed: create a new one with await ort({ runtime })",
    );
    this.elementwise = { sessions: this.sessions, math };
  }

  get threads(): number {
    return this.loader.threads;
  }

  async activate<A extends Activation, D extends Data = Float32Array>(
    activation: A,
    inputs: ActivationInputs<A>,
    parameters?: Parameters<A, ParameterValue>,
    options: ActivateOptions<D> = {},
  ): Promise<D> {
    return this.sessions.use(async () => {
      const plan = planActivation(activation, inputs, parameters);
      const out = resultOutput(plan.count, options.out);
      await forward(this.elementwise, plan, { inputs: this.inputs(plan), out: [this.numbers(out, "out")] });
      return out as D;
    });
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
    return this.sessions.use(async () => {
      const plan = planActivation(activation, inputs, parameters);
      const outputs = gradientOutputs(plan, dy, options?.out);
      const arrays = {
        inputs: this.inputs(plan),
        out: outputs.map(({ name, data }) => this.numbers(data, `out.${name}`)),
      };
      const all = options?.parameterGradients ?? true;
      const sums = await backward(this.elementwise, plan, this.numbers(dy, "dy"), arrays, all);
      const named = outputs.map(({ name, data }) => [name, data]);
      return { ...Object.fromEntries(named), ...sums } as ActivationGradients<A, I, O, P>;
    });
  }

  tensor(data: Float32Array, shape: readonly number[]): Tensor {
    this.sessions.alive();
    if (!(data instanceof Float32Array)) throw new TypeError("data must be a Float32Array");
    checkLength(data, "data", sizeOf(shape));
    return new ArrayTensor(this, data.slice(), [...shape]);
  }

  async ffn<W extends FfnWeights>(options: FfnOptions<W>): Promise<Ffn<W>> {
    this.sessions.alive();
    return this.block(planFfn(options), options.recompute);
  }

  async gatedFfn<W extends GatedFfnWeights>(options: GatedFfnOptions<W>): Promise<Ffn<W>> {
    this.sessions.alive();
    return this.block(planGatedFfn(options), options.recompute);
  }

  /** Calls under way end as they would have. */
  dispose(): void {
    for (const block of this.blocks) block.dispose();
    this.sessions.close();
  }

  private block<W>(plan: FfnPlan, recompute = false): Ffn<W> {
    const { loader, math, blocks } = this;
    const numbers = (data: Data, name: string): Float32Array => this.numbers(data, name);
    return new OrtFfn<W>({ loader, math, numbers, blocks }, plan, recompute);
  }

  private inputs(plan: ActivationPlan): Float32Array[] {
    return plan.inputs.map(({ name, data }) => this.numbers(data, name));
  }

  /** Looks into data: an array itself, or the array of a tensor. */
  private numbers(data: Data, name: string): Float32Array {
    this.sessions.alive();
    if (data instanceof Float32Array) return data;
    if (data instanceof ArrayTensor && data.owner === this) return data.data;
    throw new TypeError(`${name} is a tensor of another backend: read() it and pass the array`);
  }
}
