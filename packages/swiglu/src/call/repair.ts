// Repairs gradients that overflowed. Float32 has no order of multiplications that is safe for all inputs, so the few elements
// whose gradient is infinite or NaN although their inputs are finite are computed again in float64.

import { gradientExpressions } from "../catalogue/activation.js";
import { compile } from "../expression/tape.js";
import { viewIndex } from "../layout.js";
import { variableNames } from "../scalar.js";
import type { ActivationPlan } from "./check.js";

/** The numbers of a call. */
export interface CallData {
  /** In the order of the activation's inputs. Each is the whole array or tensor, which the view of the plan indexes. */
  readonly inputs: readonly Float32Array[];
  readonly gradients: readonly Float32Array[];
  readonly dy: Float32Array;
}

/**
 * Repairs, in place, the gradients of inputs and the sums of parameter gradients that are not finite. Elements with an infinite or
 * NaN input are left as they are, since their gradients may really be infinite or NaN.
 */
export function repair(plan: ActivationPlan, data: CallData, sums: readonly Float64Array[]): void {
  const { activation, count } = plan;
  const tape = compile(Object.values(gradientExpressions(activation)), variableNames(activation));
  const parameters = Object.values(plan.parameters);
  const values = new Float64Array(plan.inputs.length + parameters.length);
  const resummed = sums.some((sum) => !sum.every(Number.isFinite)) ? sums.map((sum) => sum.map(() => 0)) : [];
  let whole = true;
  for (let i = 0; i < count; i++) {
    const dy = data.dy[i] as number;
    let finite = Number.isFinite(dy);
    let sound = true;
    plan.inputs.forEach(({ view }, k) => {
      const at = viewIndex(view, i);
      values[k] = (data.inputs[k] as Float32Array)[at] as number;
      finite &&= Number.isFinite(values[k]);
      sound &&= Number.isFinite((data.gradients[k] as Float32Array)[at]);
    });
    whole &&= finite;
    if (!finite || (sound && resummed.length === 0)) continue;
    parameters.forEach((value, k) => {
      values[plan.inputs.length + k] =
        typeof value === "number" ? Math.fround(value) : (value[i % value.length] as number);
    });
    const slopes = tape.run(values);
    plan.inputs.forEach(({ view }, k) => {
      if (!sound) (data.gradients[k] as Float32Array)[viewIndex(view, i)] = dy * (slopes[k] as number);
    });
    resummed.forEach((sum, k) => {
      sum[i % sum.length]! += dy * (slopes[plan.inputs.length + k] as number);
    });
  }
  // A sum with an infinite or NaN input may really be infinite or NaN.
  if (whole)
    resummed.forEach((sum, k) => {
      sums[k]?.set(sum);
    });
}
