// The feed-forward block in its three forms: ungated down(a(up x)), gated down(a(gate x, up x)), and self-gated
// down(a(h, square h)) with h = in x. All projections have biases.
import { type ActivateOptions, activate, constant, type Tensor } from "onnx-grad";
import { type Normed, project, type Weights } from "./projection.js";
import type { ParameterSpec, Variant } from "./types.js";

/** A projection's parameters. */
function projection(name: string, input: number, output: number, gain = 1): ParameterSpec[] {
  const std = gain / Math.sqrt(input);
  return [
    {
      name: `${name}.weight`,
      shape: [input, output],
      init: { normal: std },
      decay: true,
      inFeedForward: true,
    },
    { name: `${name}.bias`, shape: [output], init: { value: 0 }, decay: false, inFeedForward: true },
  ];
}

/** The parameters of one block. `gain` scales the initial weights of the last projection. */
export function feedForwardSpecs(
  variant: Variant,
  width: number,
  hidden: number,
  prefix: string,
  gain = 1,
): ParameterSpec[] {
  const { activation } = variant;
  const inner =
    activation.kind === "unary"
      ? projection(`${prefix}.up`, width, hidden)
      : activation.self
        ? [...projection(`${prefix}.in`, width, hidden), ...projection(`${prefix}.square`, hidden, hidden)]
        : [...projection(`${prefix}.gate`, width, hidden), ...projection(`${prefix}.up`, width, hidden)];
  const trained = variant.trained ? Object.entries(activation.parameters) : [];
  return [
    ...inner,
    ...projection(`${prefix}.down`, hidden, width, gain),
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

/** The block's output for a normalised input [..., width]; `math` as in `activate`. */
export function feedForward(
  variant: Variant,
  input: Normed,
  weights: Weights,
  prefix: string,
  options: ActivateOptions,
): Tensor {
  const { activation, trained } = variant;
  const parameters = Object.fromEntries(
    Object.entries(activation.parameters).map(([name, value]) => [
      name,
      trained ? weights[`${prefix}.${name}`]! : constant(value, input.x.dtype),
    ]),
  );
  const inner = (name: string, from: Tensor | Normed = input): Tensor =>
    project(from, weights, `${prefix}.${name}`);
  const down = (inputs: Weights): Tensor =>
    inner("down", activate(activation.expression, { ...inputs, ...parameters }, options));
  if (activation.kind === "unary") return down({ x: inner("up") });
  if (!activation.self) return down({ gate: inner("gate"), up: inner("up") });
  const own = inner("in");
  const other = inner("square", own);
  return down(activation.self === "gate" ? { gate: own, up: other } : { gate: other, up: own });
}
