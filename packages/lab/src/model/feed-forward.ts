// The feed-forward block in its three forms: ungated down(a(up x)), gated down(a(gate x, up x)), and self-gated
// down(a(h, square h)) with h = in x. All projections have biases.
import { type ActivateOptions, activate, type Tensor } from "onnx-grad";
import { expressions } from "swiglu";
import { type Normed, project, projectionSpecs, type Weights } from "./projection.js";
import type { ParameterSpec, Variant } from "./types.js";

/** The parameters of one block. `gain` scales the initial weights of the last projection. */
export function feedForwardSpecs(
  variant: Variant,
  width: number,
  hidden: number,
  prefix: string,
  gain = 1,
): ParameterSpec[] {
  const { activation } = variant;
  const projection = (name: string, input: number, output: number, scale = 1): ParameterSpec[] =>
    projectionSpecs(`${prefix}.${name}`, input, output, { inFeedForward: true, gain: scale });
  const inner =
    activation.kind === "unary"
      ? projection("up", width, hidden)
      : activation.self
        ? [...projection("in", width, hidden), ...projection("square", hidden, hidden)]
        : [...projection("gate", width, hidden), ...projection("up", width, hidden)];
  const trained = variant.trained ? Object.entries(activation.parameters) : [];
  return [
    ...inner,
    ...projection("down", hidden, width, gain),
    ...trained.map(
      ([name, value]): ParameterSpec => ({
        name: `${prefix}.${name}`,
        shape: [],
        init: { value },
        decay: false,
        inFeedForward: true,
      }),
    ),
  ];
}

/** Parameters of one block, biases and trained parameters of the activation included. */
export function feedForwardParameters(variant: Variant, width: number, hidden: number): number {
  return feedForwardSpecs(variant, width, hidden, "block")
    .map(({ shape }) => shape.reduce((a, b) => a * b, 1))
    .reduce((a, b) => a + b, 0);
}

/** How the model is built: how exact its activations are, and who else wants to see what goes into them. */
export interface ForwardOptions extends ActivateOptions {
  /** Called for every block, in order, with the tensors that stand for the activation's inputs and trained parameters. */
  readonly watch?: (variables: Weights) => void;
}

/** The block's output for a normalised input [..., width]. */
export function feedForward(
  variant: Variant,
  input: Normed,
  weights: Weights,
  prefix: string,
  { watch, ...options }: ForwardOptions,
): Tensor {
  const { activation, trained } = variant;
  const names = trained ? Object.keys(activation.parameters) : [];
  const parameters = Object.fromEntries(names.map((name) => [name, weights[`${prefix}.${name}`]!]));
  const expression = trained
    ? activation.expression
    : expressions.substitute(activation.expression, activation.parameters);
  const inner = (name: string, from: Tensor | Normed = input): Tensor =>
    project(from, weights, `${prefix}.${name}`);
  const down = (inputs: Weights): Tensor => {
    const variables = { ...inputs, ...parameters };
    watch?.(variables);
    return inner("down", activate(expression, variables, options));
  };
  if (activation.kind === "unary") return down({ x: inner("up") });
  if (!activation.self) return down({ gate: inner("gate"), up: inner("up") });
  const own = inner("in");
  const other = inner("square", own);
  return down(activation.self === "gate" ? { gate: own, up: other } : { gate: other, up: own });
}
