// The reference backend, to which all others are compared: plain JavaScript, with float64 between float32 inputs and results.
import type { SyncBackend } from "../backend/backend.js";
import { SyncBackendFacade, type SyncParts } from "../backend/facade.js";
import type { BlockParts } from "../block/facade.js";
import type { BlockPlan } from "../block/plan.js";
import { ArrayTensors } from "../call/array-tensor.js";
import type { ActivationPlan } from "../call/check.js";
import type { Named, ParameterValue, Tensor } from "../call/data.js";
import { ReferenceBlock } from "./block.js";
import { activateInto, differentiateInto, type StridedNumbers } from "./elementwise.js";

/**
 * The reference backend. It is exact rather than fast (tens of nanoseconds an element); use it to check others.
 *
 * @example
 * const backend = await reference();
 * const y = await backend.activate(swiglu, { gate, up }, { beta: 1 });
 */
export async function reference(): Promise<SyncBackend> {
  return new SyncBackendFacade(new ReferenceParts());
}

/** Results are computed in new arrays and copied at the end, so that outputs may overlap inputs. */
export class ReferenceParts implements SyncParts {
  readonly name = "reference";
  readonly made = "await reference()";
  readonly threads = 1;
  private readonly tensors = new ArrayTensors();

  forward(plan: ActivationPlan, out: Named): void {
    const y = new Float32Array(plan.count);
    activateInto(y, plan.activation, this.inputs(plan), plan.parameters);
    this.numbers(out).set(y);
  }

  backward(
    plan: ActivationPlan,
    dy: Named,
    gradients: readonly Named[],
    parameterGradients: boolean,
  ): Record<string, ParameterValue> {
    const results = gradients.map(({ data }) => new Float32Array(data.length));
    const targets = plan.inputs.map(({ view }, i) => ({
      data: results[plan.packed ? 0 : i] as Float32Array,
      view,
    }));
    const slope = this.numbers(dy);
    const sums = differentiateInto(targets, plan.activation, this.inputs(plan), plan.parameters, slope);
    gradients.forEach((gradient, i) => {
      this.numbers(gradient).set(results[i] as Float32Array);
    });
    return parameterGradients ? sums : {};
  }

  tensor(data: Float32Array, shape: readonly number[]): Tensor {
    return this.tensors.make(data, shape);
  }

  /** A pass of the reference always keeps everything, since `recompute` changes only memory, never results. */
  block(plan: BlockPlan): BlockParts<unknown> {
    return new ReferenceBlock(plan, (named) => this.numbers(named));
  }

  dispose(): void {}

  private inputs(plan: ActivationPlan): StridedNumbers[] {
    return plan.inputs.map((input) => ({ data: this.numbers(input), view: input.view }));
  }

  private numbers({ data, name }: Named): Float32Array {
    return this.tensors.numbers(data, name);
  }
}
