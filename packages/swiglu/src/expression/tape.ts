// Evaluates expressions in float64: the reference to which every kernel is compared.
// A tape is a list of steps that computes several expressions. Parts that they share are computed once.
import { type Expr, type Operation, type Rules, schedule } from "./expr.js";
import {
  atlu,
  atluSlope,
  expResidual,
  normalCdf,
  sigmoid,
  sigmoidSlope,
  softClamp,
  softplus,
  tanhResidual,
} from "./special.js";

const values: Rules<number, number> = {
  neg: (a) => -a,
  abs: Math.abs,
  exp: Math.exp,
  expm1: Math.expm1,
  expResidual,
  log: Math.log,
  sqrt: Math.sqrt,
  sigmoid,
  sigmoidSlope,
  softplus,
  tanh: Math.tanh,
  tanhResidual,
  normalCdf,
  atan: Math.atan,
  atlu,
  atluSlope,
  relu: (a) => Math.max(0, a),
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
  softClamp,
  clamp: (a, low, high) => Math.min(Math.max(a, low), high),
  selectGreater: (a, b, then, otherwise) => (a > b ? then : a <= b ? otherwise : Number.NaN),
};

/** A rule that is called with a list of operands. The table above guarantees that their number is right. */
type Rule = (...operands: number[]) => number;

/** The float64 value of one operation. */
export function applyOperation(op: Operation, operands: readonly number[]): number {
  return (values[op] as Rule)(...operands);
}

/** Computes the expressions that it was compiled from. */
export interface Tape {
  /**
   * Takes the values of the variables in the order given to `compile`, and returns the results in the order of the expressions.
   * The array returned belongs to the tape: the next call writes to it again.
   */
  run(inputs: ArrayLike<number>): Float64Array;
}

/**
 * Compiles expressions into a tape. `variables` names every variable that occurs, in the order of `run`'s inputs.
 * Throws a ReferenceError for a variable that is not named.
 *
 * @example
 * compile([mul("x", "x")], ["x"]).run([3])[0] // 9
 */
export function compile(exprs: readonly Expr[], variables: readonly string[]): Tape {
  const order = schedule(exprs);
  const slots = new Float64Array(variables.length + order.length);
  const slotOf = new Map<Expr, number>();
  const steps: (() => void)[] = [];
  order.forEach((node, i) => {
    const slot = variables.length + i;
    if (node.op === "variable") {
      const index = variables.indexOf(node.name);
      if (index < 0) throw new ReferenceError(`${node.name} has no value: only ${variables.join(", ")} do`);
      slotOf.set(node, index);
    } else if (node.op === "num") {
      slots[slot] = node.value;
      slotOf.set(node, slot);
    } else {
      const operands = node.args.map((arg) => slotOf.get(arg) as number);
      steps.push(step(slots, slot, values[node.op] as Rule, operands));
      slotOf.set(node, slot);
    }
  });
  const outputs = exprs.map((expr) => slotOf.get(expr) as number);
  const results = new Float64Array(exprs.length);
  return {
    run(inputs) {
      for (let i = 0; i < variables.length; i++) slots[i] = inputs[i] as number;
      for (const run of steps) run();
      for (let i = 0; i < outputs.length; i++) results[i] = slots[outputs[i] as number] as number;
      return results;
    },
  };
}

/** One step of a tape. Its operands are bound, so that running it allocates no memory. */
function step(slots: Float64Array, target: number, rule: Rule, operands: readonly number[]): () => void {
  const [a = 0, b = 0, c = 0, d = 0] = operands;
  const at = (slot: number): number => slots[slot] as number;
  switch (operands.length) {
    case 1:
      return () => {
        slots[target] = rule(at(a));
      };
    case 2:
      return () => {
        slots[target] = rule(at(a), at(b));
      };
    default:
      return () => {
        slots[target] = rule(at(a), at(b), at(c), at(d));
      };
  }
}
