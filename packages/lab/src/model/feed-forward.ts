// The feed-forward block in its three forms: ungated down(a(up x)), gated down(a(gate x, up x)), and self-gated
// down(a(h, square h)) with h = in x. All projections have biases.
import { type ActivateOptions, activate, constant, linear, split, type Tensor } from "onnx-grad";
import type { ParameterSpec, Variant } from "./types.js";

type Weights = Readonly<Record<string, Tensor>>;

/** A projection's parameters; gate and up lie side by side in one matrix, so that one product computes both. */
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
        : projection(`${prefix}.gateUp`, width, 2 * hidden);
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

/** The block's output for x [..., width]; `math` as in `activate`. */
export function feedForward(
  variant: Variant,
  x: Tensor,
  weights: Weights,
  prefix: string,
  options: ActivateOptions,
): Tensor {
  const { activation } = variant;
  const project = (name: string, input: Tensor): Tensor =>
    linear(input, weights[`${prefix}.${name}.weight`]!, weights[`${prefix}.${name}.bias`]!);
  const parameters = Object.fromEntries(
    Object.entries(activation.parameters).map(([name, value]) => [
      name,
      variant.trained ? weights[`${prefix}.${name}`]! : constant(value, x.dtype),
    ]),
  );
  const apply = (inputs: Weights): Tensor =>
    activate(activation.expression, { ...inputs, ...parameters }, options);
  if (activation.kind === "unary") return project("down", apply({ x: project("up", x) }));
  if (activation.self) {
    const own = project("in", x);
    const other = project("square", own);
    return project(
      "down",
      apply(activation.self === "gate" ? { gate: own, up: other } : { gate: other, up: own }),
    );
  }
  const packed = project("gateUp", x);
  const hidden = packed.shape.at(-1)! / 2;
  const [gate, up] = split(packed, [hidden, hidden], -1);
  return project("down", apply({ gate: gate!, up: up! }));
}
