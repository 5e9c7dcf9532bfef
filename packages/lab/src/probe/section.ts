// An activation as a function of one variable, the gate: how its value, slope, second derivative and gating factor go
// there, all derived from its expression. Unary activations are taken in their gated form, a(gate) * up; up is held at 1.
import { type Activation, asGated, differentiate, type Expr, expressions } from "swiglu";

/** Expressions in `gate` and the activation's parameters, at up = 1. */
export interface CrossSection {
  /** For a unary activation, a(gate). */
  readonly value: Expr;
  /** d value / d gate */
  readonly slope: Expr;
  /** d slope / d gate */
  readonly curvature: Expr;
  /** What up is multiplied by, d a(gate, up) / d up. For a unary activation this is a(gate) itself. */
  readonly factor: Expr;
}

export function crossSection(activation: Activation): CrossSection {
  const { expression } = asGated(activation);
  const atOne = (expr: Expr): Expr => expressions.substitute(expr, { up: 1 });
  const value = atOne(expression);
  const slope = differentiate(value, "gate");
  return {
    value,
    slope,
    curvature: differentiate(slope, "gate"),
    factor: atOne(differentiate(expression, "up")),
  };
}
