// The elementwise kernels for TensorFlow.js: an activation in one pass, and all its gradients in one.
import { planActivation } from "../../call/check.js";
import type { Activation } from "../../catalogue/activation.js";
import { schedule } from "../../expression/expr.js";
import { isCheap } from "../../expression/operations.js";
import { backward, forward, record, recordedBackward } from "../../wasm/face.js";
import type { KernelAttributes } from "../seam.js";
import { definitionOf, outputParameters, parametersOf } from "./definition.js";
import type { Run } from "./workplace.js";

/** `SwigluActivation`. Its residuals, if it has any, are the derivatives in its inputs. */
export function activationForward(run: Run, attributes: KernelAttributes): void {
  const { engine, scratch } = run;
  const { plan, names, shape } = planned(run, attributes);
  const addresses = names.map((name) => run.address(name));
  const out = run.output(shape);
  if (attributes.training && isWorthRecording(plan.activation))
    record(engine, plan, addresses, out, outputsLike(run, names), scratch);
  else forward(engine, plan, addresses, out, scratch);
}

/** `SwigluActivationBackward` */
export function activationBackward(run: Run, attributes: KernelAttributes): void {
  const { engine, scratch } = run;
  const { plan, names } = planned(run, attributes);
  const [dy, targets] = [run.address("dy"), outputsLike(run, names)];
  if ("residual.0" in run.inputs) {
    const slopes = names.map((_, i) => run.address(`residual.${plan.packed ? 0 : i}`));
    if (recordedBackward(engine, plan, slopes, dy, targets, scratch)) return;
  }
  const addresses = names.map((name) => run.address(name));
  outputParameters(run, backward(engine, plan, addresses, dy, targets, scratch));
}

/** Whether value and derivatives are computed together. Not with parameters, each of which would need one more result. */
const isWorthRecording = ({ expression, parameters }: Activation): boolean =>
  Object.keys(parameters).length === 0 &&
  schedule([expression]).some(({ op }) => op !== "num" && op !== "variable" && !isCheap(op));

/** An output of the same shape for each of the named inputs. Gate and up of a packed input share one output. */
function outputsLike(run: Run, names: readonly string[]): number[] {
  const addresses = new Map([...new Set(names)].map((name) => [name, run.output(run.shape(name))]));
  return names.map((name) => addresses.get(name) as number);
}

/** The checked call, the input tensor of each of the activation's inputs, and the result's shape. */
function planned(run: Run, attributes: KernelAttributes) {
  const activation = definitionOf(attributes);
  const parameters = parametersOf(run, activation, attributes);
  const { layout, axis } = attributes;
  if (layout === undefined) {
    const inputs = Object.fromEntries(activation.inputs.map((name) => [name, run.data(name)]));
    const shape = run.shape(activation.inputs[0] as string);
    return { plan: planActivation(activation, inputs, parameters), names: activation.inputs, shape };
  }
  const packed = run.shape("packed");
  const at = axis ?? packed.length - 1;
  const input = { packed: run.data("packed"), shape: packed, axis: at, layout };
  return {
    plan: planActivation(activation, input, parameters),
    names: activation.inputs.map(() => "packed"),
    shape: packed.map((size, i) => (i === at ? size / 2 : size)),
  };
}
