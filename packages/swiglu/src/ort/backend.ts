// The ONNX Runtime backend: graphs made from expressions at run time, on a runtime that the caller hands in.

import type { Backend } from "../backend/backend.js";
import { BackendFacade, type BackendParts } from "../backend/facade.js";
import type { BlockParts } from "../block/facade.js";
import type { BlockPlan } from "../block/plan.js";
import { ArrayTensors } from "../call/array-tensor.js";
import { ofThisRealm } from "../call/arrays.js";
import type { ActivationPlan } from "../call/check.js";
import type { Named, ParameterValue, Tensor } from "../call/data.js";
import { shown } from "../errors.js";
import { defaultMath, type OnnxMath } from "../onnx/expression/options.js";
import { backward, type Elementwise, forward } from "./activate.js";
import { OrtBlock } from "./block.js";
import { type Loader, loader, type OrtRuntime } from "./loader.js";
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
   * `exact` (the default everywhere, so that the library's bound holds unless it is given up by name): through Exp, within
   * `errorBound`. `fast`: the runtime's own Sigmoid, Tanh and
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
export async function ort({ runtime, threads, math = defaultMath }: OrtOptions): Promise<Backend> {
  if (math !== "exact" && math !== "fast")
    throw new RangeError(`math is ${shown(math)}, expected "exact" or "fast"`);
  return new BackendFacade(new OrtParts(await loader(runtime, threads), math));
}

class OrtParts implements BackendParts {
  readonly name = "ort";
  readonly made = "await ort({ runtime })";
  private readonly tensors = new ArrayTensors();
  private readonly sessions: Sessions;
  private readonly elementwise: Elementwise;

  constructor(
    private readonly loader: Loader,
    private readonly math: OnnxMath,
  ) {
    this.sessions = new Sessions(loader);
    this.elementwise = { sessions: this.sessions, math };
  }

  get threads(): number {
    return this.loader.threads;
  }

  forward(plan: ActivationPlan, out: Named): Promise<void> {
    return this.sessions.use(() =>
      forward(this.elementwise, plan, { inputs: this.inputs(plan), out: [this.numbers(out)] }),
    );
  }

  backward(
    plan: ActivationPlan,
    dy: Named,
    gradients: readonly Named[],
    parameterGradients: boolean,
  ): Promise<Record<string, ParameterValue>> {
    return this.sessions.use(async () => {
      const arrays = { inputs: this.inputs(plan), out: gradients.map((gradient) => this.numbers(gradient)) };
      return backward(this.elementwise, plan, this.numbers(dy), arrays, parameterGradients);
    });
  }

  tensor(data: Float32Array, shape: readonly number[]): Tensor {
    return this.tensors.make(data, shape);
  }

  block(plan: BlockPlan, recompute: boolean): BlockParts<unknown> {
    const { loader, math } = this;
    const numbers = (named: Named): Float32Array => this.numbers(named);
    return new OrtBlock({ loader, math, numbers }, plan, recompute);
  }

  /** Calls under way still finish. */
  dispose(): void {
    this.sessions.close();
  }

  private inputs(plan: ActivationPlan): Float32Array[] {
    return plan.inputs.map((input) => this.numbers(input));
  }

  /** Looks into data: an array itself, or the array of a tensor. */
  private numbers({ data, name }: Named): Float32Array {
    return ofThisRealm(this.tensors.numbers(data, name));
  }
}
