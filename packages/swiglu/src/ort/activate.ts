// Elementwise calls on ONNX Runtime: one graph for each activation and kind of call. Gradients that overflowed are repaired
// afterwards.
import type { ActivationPlan } from "../call/check.js";
import type { ParameterValue } from "../call/data.js";
import { repair } from "../call/repair.js";
import { addToSums, gradientsByName, zeroSums } from "../call/sums.js";
import { definitionText } from "../catalogue/activation.js";
import type { OnnxMath } from "../onnx/expression/options.js";
import type { Session, ShapedArray } from "../onnx/runtime/session.js";
import { Call } from "./activation-call.js";
import { backwardModel, forwardModel } from "./graph/activation-graph.js";
import { aside, settle } from "./memory.js";
import type { Sessions } from "./sessions.js";

/** What elementwise calls need of their backend. */
export interface Elementwise {
  readonly sessions: Sessions;
  readonly math: OnnxMath;
}

/** The arrays of a checked call, in the order of the plan. */
export interface Arrays {
  readonly inputs: readonly Float32Array[];
  readonly out: readonly Float32Array[];
}

/** Writes the activation's value to the one array in `out`. */
export async function forward(of: Elementwise, plan: ActivationPlan, { inputs, out }: Arrays): Promise<void> {
  if (plan.count === 0) return;
  const call = new Call(plan, inputs);
  const session = await of.sessions.session(`forward ${call.key} ${definitionText(plan.activation)}`, () =>
    forwardModel(plan.activation, call.graph(of.math)),
  );
  const computed = aside(out, inputs);
  for (const piece of call.pieces())
    await session.run(piece.inputs, { y: piece.elements(computed[0] as Float32Array) });
  settle(out, computed);
}

/**
 * Writes the gradients of the inputs to `out`, one array for a packed input; returns those of the parameters by name, or
 * none if they are not asked for.
 */
export async function backward(
  of: Elementwise,
  plan: ActivationPlan,
  dy: Float32Array,
  { inputs, out }: Arrays,
  parameterGradients: boolean,
): Promise<Record<string, ParameterValue>> {
  const { activation, count } = plan;
  const asked = parameterGradients ? plan.parameters : {};
  const totals = Object.values(asked).map(zeroSums);
  if (count > 0) {
    const call = new Call(plan, inputs);
    const session = await of.sessions.session(
      `backward ${parameterGradients} ${call.key} ${definitionText(activation)}`,
      () => backwardModel(activation, call.graph(of.math), parameterGradients),
    );
    const gradients = aside(out, [...inputs, dy]);
    await runBackward(session, call, dy, gradients, Object.keys(asked), totals);
    if ([...gradients, ...totals].some(hasOverflowed)) {
      const targets = plan.inputs.map((_, i) => gradients[plan.packed ? 0 : i] as Float32Array);
      repair(plan, { inputs, gradients: targets, dy }, totals);
    }
    settle(out, gradients);
  }
  return gradientsByName(asked, totals);
}

async function runBackward(
  session: Session,
  call: Call,
  dy: Float32Array,
  gradients: readonly Float32Array[],
  names: readonly string[],
  totals: readonly Float64Array[],
): Promise<void> {
  for (const piece of call.pieces()) {
    const sums = names.map(() => piece.sum());
    await session.run(
      { ...piece.inputs, dy: piece.elements(dy) },
      {
        ...piece.gradients(gradients),
        ...Object.fromEntries(names.map((name, i) => [`gradient_${name}`, sums[i] as ShapedArray])),
      },
    );
    sums.forEach(({ data }, k) => {
      addToSums(totals[k] as Float64Array, data);
    });
  }
}

/** Whether any number is infinite or NaN: 0 times such a number is NaN. There are four sums so that additions overlap in time. */
function hasOverflowed(numbers: Float32Array | Float64Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const { length } = numbers;
  for (let i = 0; i < length % 4; i++) a += 0 * (numbers[i] as number);
  for (let i = length % 4; i < length; i += 4) {
    a += 0 * (numbers[i] as number);
    b += 0 * (numbers[i + 1] as number);
    c += 0 * (numbers[i + 2] as number);
    d += 0 * (numbers[i + 3] as number);
  }
  return Number.isNaN(a + b + c + d);
}
