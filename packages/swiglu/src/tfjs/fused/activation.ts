// The elementwise kernels for TensorFlow.js: an activation in one pass, and all its gradients in one.
import { type ActivationPlan, planActivation } from "../../backend/check.js";
import type { ParameterValue } from "../../backend/data.js";
import type { Activation } from "../../catalogue/activation.js";
import { backward, forward } from "../../wasm/activate.js";
import type { KernelAttributes } from "../seam.js";
import { definitionOf } from "./definition.js";
import type { Run } from "./workplace.js";

/** `SwigluActivation` */
export function activationForward(run: Run, attributes: KernelAttributes): void {
  const { plan, names, shape } = planned(run, attributes);
  const out = run.output(shape);
  forward(
    run.engine,
    plan,
    names.map((name) => run.address(name)),
    out,
    run.scratch,
  );
}

/** `SwigluActivationBackward` */
export function activationBackward(run: Run, attributes: KernelAttributes): void {
  const { plan, names } = planned(run, attributes);
  const addresses = names.map((name) => run.address(name));
  const places = new Map([...new Set(names)].map((name) => [name, run.output(run.shape(name))]));
  const targets = names.map((name) => places.get(name) as number);
  const sums = backward(run.engine, plan, addresses, run.address("dy"), targets, run.scratch);
  outputParameters(run, plan, sums);
}

/** The checked call, the input tensor of each of the activation's inputs, and the result's shape. */
function planned(run: Run, attributes: KernelAttributes) {
  const activation = definitionOf(attributes);
  const parameters = parametersOf(run, activation);
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

/** The values of an activation's parameters: a number, or a copy of the channels. */
export function parametersOf(run: Run, activation: Activation): Record<string, ParameterValue> {
  return Object.fromEntries(
    Object.keys(activation.parameters).map((name) => {
      const values = run.numbers(`parameter.${name}`);
      return [name, values.length === 1 ? (values[0] as number) : values.slice()];
    }),
  );
}

/** The gradients of a call's parameters as results, in the order of the parameters. */
export function outputParameters(
  run: Run,
  { parameters }: Pick<ActivationPlan, "parameters">,
  gradients: Readonly<Record<string, ParameterValue>>,
): void {
  for (const name of Object.keys(parameters)) {
    const value = gradients[name] as ParameterValue;
    run.outputOf(run.shape(`parameter.${name}`), typeof value === "number" ? [value] : value);
  }
}
