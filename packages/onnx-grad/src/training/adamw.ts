// AdamW inside the graph: one step from the old state to the new one, over all parameters as one flat vector.
import { kindOf } from "../graph/checks.js";
import type { Tensor } from "../graph/tensor.js";
import { add, concat, div, minimum, mul, slice, sqrt, sub, sum } from "../operations/index.js";

export interface AdamwOptions {
  /** Averaging of the gradient and of its square, from 0 to below 1; defaults 0.9 and 0.999. */
  readonly beta1?: number;
  readonly beta2?: number;
  /** From 0 on; default 1e-8. */
  readonly epsilon?: number;
  /** Decoupled: each step shrinks decayed parameters by `learningRate * weightDecay`; from 0 on, default 0. */
  readonly weightDecay?: number;
  /** Longest gradient, above 0; a longer one is scaled down to it. Default, as with Infinity: no limit. */
  readonly clipNorm?: number;
}

/** Flat vectors, all of one length. */
export interface AdamwState {
  readonly parameters: Tensor;
  readonly firstMoment: Tensor;
  readonly secondMoment: Tensor;
}

/** Scalars that change from step to step; `step` counts from 1. */
export interface AdamwSchedule {
  readonly learningRate: Tensor;
  /** `1 - beta1 ** step` and `1 - beta2 ** step` */
  readonly correction1: Tensor;
  readonly correction2: Tensor;
}

/**
 * One AdamW step (Loshchilov & Hutter 2019) with clipping by global norm as in PyTorch:
 *
 *     g = gradient * min(1, clipNorm / (|gradient| + 1e-6))
 *     m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
 *     p = p (1 - lr weightDecay) - lr (m / correction1) / (sqrt(v / correction2) + epsilon)
 *
 * The first `decayed` elements decay. A gradient that is not finite gives a state that is not finite; `Training` then keeps the old
 * state. Throws a RangeError for an option that is not in its range.
 */
export function adamw(
  state: AdamwState,
  gradient: Tensor,
  schedule: AdamwSchedule,
  decayed: number,
  options: AdamwOptions = {},
): AdamwState & { readonly gradientNorm: Tensor } {
  const { beta1, beta2, epsilon, weightDecay, clipNorm } = adamwOptions(options);
  const { learningRate, correction1, correction2 } = schedule;
  const square = mul(gradient, gradient);
  const gradientNorm = sqrt(sum(square));
  const scale = clipNorm === undefined ? undefined : minimum(div(clipNorm, add(gradientNorm, 1e-6)), 1);

  const share1 = scale ? mul(scale, 1 - beta1) : 1 - beta1;
  const share2 = scale ? mul(mul(scale, scale), 1 - beta2) : 1 - beta2;
  const firstMoment = add(mul(state.firstMoment, beta1), mul(gradient, share1));
  const secondMoment = add(mul(state.secondMoment, beta2), mul(square, share2));
  const rate = div(learningRate, correction1);
  const deviation = add(sqrt(div(secondMoment, correction2)), epsilon);
  const shrunk = shrink(state.parameters, decayed, sub(1, mul(learningRate, weightDecay)));
  const parameters = sub(shrunk, div(mul(firstMoment, rate), deviation));

  return { parameters, firstMoment, secondMoment, gradientNorm };
}

/** The options with their defaults. Throws for one that is not in its range. */
export function adamwOptions(options: AdamwOptions) {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0, clipNorm = Infinity } = options;
  const check = (name: string, value: number, expected: string, holds: boolean): void => {
    if (typeof value !== "number" || !holds)
      throw new RangeError(`${name} is ${kindOf(value)}, expected ${expected}`);
  };
  // The graph computes in float32, where 1 - 1e-9 is 1 and 1e39 is infinite.
  const inFloat32 = (value: number): boolean => Number.isFinite(Math.fround(value));
  for (const [name, beta] of Object.entries({ beta1, beta2 }))
    check(name, beta, "a number from 0 to below 1, also in float32", beta >= 0 && Math.fround(beta) < 1);
  for (const [name, value] of Object.entries({ epsilon, weightDecay }))
    check(name, value, "a finite number from 0 on", value >= 0 && inFloat32(value));
  check("clipNorm", clipNorm, "a number above 0 (Infinity: no limit)", Math.fround(clipNorm) > 0);
  return { beta1, beta2, epsilon, weightDecay, clipNorm: clipNorm === Infinity ? undefined : clipNorm };
}

/** The first `count` elements times a factor, the rest as they are. */
function shrink(x: Tensor, count: number, factor: Tensor): Tensor {
  if (count === 0) return x;
  if (count === x.size) return mul(x, factor);
  return concat([mul(slice(x, 0, count, 0), factor), slice(x, count, x.size, 0)], 0);
}
