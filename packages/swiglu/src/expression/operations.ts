// What the library knows about each operation besides its number of operands (`arity` in expr.ts).
// The table has a row for every operation and a value in every column, so a new operation does not compile until all is said.
import type { Operands, Operation } from "./expr.js";

/** Whether an operand bounds the result: the result is never above an `upper` one, and never below a `lower` one. */
export type Bound = "upper" | "lower" | "none";

interface OperationFacts<O extends Operation> {
  /**
   * The operation takes a few instructions. Computing it again costs less than keeping its result, and its text stays within a
   * larger expression.
   */
  readonly cheap: boolean;
  /**
   * For ordinary operands the result may be so near 0 that a GPU's driver takes it for 0, although a large factor may follow.
   * The function in WGSL then sets `vanishing`.
   */
  readonly mayVanish: boolean;
  /** The two operands may be exchanged. */
  readonly commutative: boolean;
  /** For each operand, in order, whether it is a bound; `unbounded` where none of them is. */
  readonly bounds: Operands<O, Bound> | typeof unbounded;
}

const unbounded = [] as const;

export const operations: { readonly [O in Operation]: OperationFacts<O> } = {
  neg: { cheap: true, mayVanish: false, commutative: false, bounds: unbounded },
  abs: { cheap: true, mayVanish: false, commutative: false, bounds: unbounded },
  exp: { cheap: false, mayVanish: true, commutative: false, bounds: unbounded },
  expm1: { cheap: false, mayVanish: false, commutative: false, bounds: unbounded },
  expResidual: { cheap: false, mayVanish: false, commutative: false, bounds: unbounded },
  log: { cheap: false, mayVanish: false, commutative: false, bounds: unbounded },
  sqrt: { cheap: false, mayVanish: false, commutative: false, bounds: unbounded },
  sigmoid: { cheap: false, mayVanish: true, commutative: false, bounds: unbounded },
  sigmoidSlope: { cheap: false, mayVanish: true, commutative: false, bounds: unbounded },
  softplus: { cheap: false, mayVanish: true, commutative: false, bounds: unbounded },
  tanh: { cheap: false, mayVanish: false, commutative: false, bounds: unbounded },
  tanhResidual: { cheap: false, mayVanish: false, commutative: false, bounds: unbounded },
  normalCdf: { cheap: false, mayVanish: true, commutative: false, bounds: unbounded },
  atan: { cheap: false, mayVanish: false, commutative: false, bounds: unbounded },
  atlu: { cheap: false, mayVanish: false, commutative: false, bounds: unbounded },
  atluSlope: { cheap: false, mayVanish: false, commutative: false, bounds: unbounded },
  relu: { cheap: true, mayVanish: false, commutative: false, bounds: unbounded },
  add: { cheap: true, mayVanish: false, commutative: true, bounds: unbounded },
  sub: { cheap: true, mayVanish: false, commutative: false, bounds: unbounded },
  mul: { cheap: true, mayVanish: false, commutative: true, bounds: unbounded },
  div: { cheap: true, mayVanish: false, commutative: false, bounds: unbounded },
  min: { cheap: true, mayVanish: false, commutative: false, bounds: ["upper", "upper"] },
  max: { cheap: true, mayVanish: false, commutative: false, bounds: ["lower", "lower"] },
  softClamp: { cheap: false, mayVanish: false, commutative: false, bounds: ["none", "upper"] },
  clamp: { cheap: true, mayVanish: false, commutative: false, bounds: ["none", "lower", "upper"] },
  selectGreater: { cheap: true, mayVanish: false, commutative: false, bounds: unbounded },
};
