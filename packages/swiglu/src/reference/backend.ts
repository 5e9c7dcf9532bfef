// The reference backend: plain JavaScript, float64 inside, float32 in and out. The yardstick for all other backends.

import type { Ffn, SyncBackend } from "../backend/backend.js";
import { type Output, SynchronousBackend } from "../backend/synchronous.js";
import type { FfnPlan } from "../block/plan.js";
import { ArrayTensor } from "../call/array-tensor.js";
import { isFloat32Array } from "../call/arrays.js";
import type { ActivationPlan } from "../call/check.js";
import type { Data, ParameterValue, Tensor } from "../call/data.js";
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

/** Results are computed aside, so that outputs may overlap inputs in any way. */
class ReferenceBackend extends SynchronousBackend {
  readonly name = "reference";
  readonly threads = 1;

  protected forward(plan: ActivationPlan, out: Output): void {
    const y = new Float32Array(plan.count);
    activateInto(y, plan.activation, this.operands(plan), plan.parameters);
    this.read(out.data, out.name).set(y);
  }

  protected backward(
    plan: ActivationPlan,
    dy: Output,
    gradients: readonly Output[],
    parameterGradients: boolean,
  ): Record<string, ParameterValue> {
    const results = gradients.map(({ data }) => new Float32Array(data.length));
    const targets = plan.inputs.map(({ view }, i) => ({
      data: results[plan.packed ? 0 : i] as Float32Array,
      view,
    }));
    const slope = this.read(dy.data, dy.name);
    const sums = differentiateInto(targets, plan.activation, this.operands(plan), plan.parameters, slope);
    gradients.forEach(({ data, name }, i) => {
      this.read(data, name).set(results[i] as Float32Array);
    });
    return parameterGradients ? sums : {};
  }

  protected makeTensor(data: Float32Array, shape: readonly number[]): Tensor {
    return new ArrayTensor(this, new Float32Array(data), shape);
  }

  /** The reference always keeps everything; `recompute` changes memory, not results. */
  protected makeBlock<W>(plan: FfnPlan): Ffn<W> {
    return new ReferenceFfn(plan, (data, name) => this.read(data, name));
  }

  protected release(): void {}

  private operands(plan: ActivationPlan): Operand[] {
    return plan.inputs.map(({ name, data, view }) => ({ data: this.read(data, name), view }));
  }

  private read(data: Data, name: string): Float32Array {
    this.alive();
    if (isFloat32Array(data)) return data;
    if (data instanceof ArrayTensor && data.owner === this) return data.data;
    throw new TypeError(`${name} is a tensor of another backend: read() it and pass the array`);
  }
}
