// An activation as a curve: its value and its slope along x, or along the gate with up held at 1.
import { type Activation, evaluate, gradient } from "swiglu";

export interface Sample {
  readonly x: number;
  readonly value: number;
  readonly slope: number;
}

/** `count` samples from `from` to `to`, both included; parameters not given take their defaults. */
export function sampleActivation(
  activation: Activation,
  from: number,
  to: number,
  count: number,
  parameters: Readonly<Record<string, number>> = {},
): Sample[] {
  const all = { ...activation.parameters, ...parameters };
  return Array.from({ length: count }, (_, i) => {
    const x = from + ((to - from) * i) / (count - 1);
    const inputs = activation.kind === "unary" ? { x } : { gate: x, up: 1 };
    const slopes: Record<string, number> = gradient(activation, inputs, all);
    return { x, value: evaluate(activation, inputs, all), slope: slopes[activation.inputs[0]!]! };
  });
}

/** What the horizontal axis of the samples is. */
export const axisName = ({ kind }: Activation): string => (kind === "unary" ? "x" : "gate, at up = 1");

/** "ungated", "gated" or "self-gated": how the feed-forward block uses the activation. */
export type Family = "ungated" | "gated" | "self-gated";

export const familyOf = ({ kind, self }: Activation): Family =>
  kind === "unary" ? "ungated" : self === undefined ? "gated" : "self-gated";

/** "beta = 1", or "" when there are none. */
export const parameterText = ({ parameters }: Activation): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ");
