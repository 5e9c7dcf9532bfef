// What the library knows about each operation besides its number of operands (`arity` in expr.ts).
// Each table has a row for every operation and a value in every column, so a new operation does not compile until all is said.
// There are two, so that a program that only evaluates has no part of what code generators need.
import type { Operands, Operation } from "./expr.js";

/** Whether an operand bounds the result: the result is never above an `upper` one, and never below a `lower` one. */
export type Bound = "upper" | "lower" | undefined;

/** None of the operands is a bound. */
const unbounded = [] as const;

type Algebra<O extends Operation> = readonly [
  commutative: boolean,
  bounds: Operands<O, Bound> | typeof unbounded,
];

// biome-ignore format: a table
const algebra: { readonly [O in Operation]: Algebra<O> } = {
  //              commutative  bounds
  neg:            [false,       unbounded],
  abs:            [false,       unbounded],
  exp:            [false,       unbounded],
  expm1:          [false,       unbounded],
  expResidual:    [false,       unbounded],
  log:            [false,       unbounded],
  sqrt:           [false,       unbounded],
  sigmoid:        [false,       unbounded],
  sigmoidSlope:   [false,       unbounded],
  softplus:       [false,       unbounded],
  tanh:           [false,       unbounded],
  tanhResidual:   [false,       unbounded],
  normalCdf:      [false,       unbounded],
  atan:           [false,       unbounded],
  atlu:           [false,       unbounded],
  atluSlope:      [false,       unbounded],
  relu:           [false,       unbounded],
  add:            [true,        unbounded],
  sub:            [false,       unbounded],
  mul:            [true,        unbounded],
  div:            [false,       unbounded],
  min:            [false,       ["upper", "upper"]],
  max:            [false,       ["lower", "lower"]],
  softClamp:      [false,       [undefined, "upper"]],
  clamp:          [false,       [undefined, "lower", "upper"]],
  selectGreater:  [false,       unbounded],
};

/** Whether the two operands may be exchanged. */
export const isCommutative = (op: Operation): boolean => algebra[op][0];

/** Whether operand `i` bounds the result, and how. */
export const boundOf = (op: Operation, i: number): Bound => algebra[op][1][i];

// biome-ignore format: a table
const code: { readonly [O in Operation]: readonly [cheap: boolean, canVanish: boolean] } = {
  //              cheap  canVanish
  neg:            [true,  false],
  abs:            [true,  false],
  exp:            [false, true],
  expm1:          [false, false],
  expResidual:    [false, false],
  log:            [false, false],
  sqrt:           [false, false],
  sigmoid:        [false, true],
  sigmoidSlope:   [false, true],
  softplus:       [false, true],
  tanh:           [false, false],
  tanhResidual:   [false, false],
  normalCdf:      [false, true],
  atan:           [false, false],
  atlu:           [false, false],
  atluSlope:      [false, false],
  relu:           [true,  false],
  add:            [true,  false],
  sub:            [true,  false],
  mul:            [true,  false],
  div:            [true,  false],
  min:            [true,  false],
  max:            [true,  false],
  softClamp:      [false, false],
  clamp:          [true,  false],
  selectGreater:  [true,  false],
};

/**
 * Whether an operation takes only a few instructions. Computing it again costs less than keeping its result, and its text stays
 * within a larger expression.
 */
export const isCheap = (op: Operation): boolean => code[op][0];

/**
 * Whether the result may be so near 0, for ordinary operands, that a GPU's driver takes it for 0, although a large factor may
 * follow. The operation's function in WGSL then sets `vanishing`.
 */
export const canVanish = (op: Operation): boolean => code[op][1];
