// Writes the forward half of a block's graph: weights, products, activation, and what a recorded pass keeps for its backward.
//
//     gated:       x --MatMul gate--> .                            self-gated:  x --MatMul in--> own --MatMul square--> .
//                  x --MatMul up----> activation --> hidden                     own -----------------> activation --> hidden
//                  hidden --MatMul down--> y                                    hidden --MatMul down--> y

import { fusedForm } from "../../block/forms.js";
import type { BlockPlan } from "../../block/plan.js";
import { repeated } from "../../call/channels.js";
import { gradientExpressions } from "../../catalogue/activation.js";
import { type Expr, num, substitute, variablesOf } from "../../expression/expr.js";
import type { OnnxMath } from "../../onnx/expression/options.js";
import type { Matrices, Matrix } from "./block-weights.js";
import { CallGraph } from "./call-graph.js";

/** A block with its weights. */
export interface Block {
  readonly plan: BlockPlan;
  readonly matrices: Matrices;
  readonly math: OnnxMath;
}

/** A block's state once its activation has been computed: tensors of the graph. */
export interface Activated {
  readonly x: string;
  readonly hidden: string;
  /** The activation's slopes by variable, without those that are the same for all inputs. */
  readonly slopes: Readonly<Record<string, string>>;
  /** The first product of a self-gated block. */
  readonly own?: string;
}

export const slopeName = (variable: string): string => `slope_${variable}`;

/** A graph with the weights of a block inside it: each weight that the graph uses, once. */
export class BlockGraph extends CallGraph {
  readonly plan: BlockPlan;
  private readonly matrices: Matrices;
  private readonly constants = new Map<string, string>();

  constructor({ plan, matrices, math }: Block) {
    super(math);
    this.plan = plan;
    this.matrices = matrices;
  }

  /** An input of the graph with a block's width. */
  rows(name: string): string {
    return this.input(name, ["rows", this.plan.dModel]);
  }

  /** An activation's parameters that are per channel, as constants [dFf]; the others are part of its expression. */
  channels(): Record<string, string> {
    const { parameters, dFf } = this.plan;
    const given = Object.entries(parameters).flatMap(([name, value]) =>
      typeof value === "number" ? [] : ([[name, value]] as const),
    );
    return Object.fromEntries(
      given.map(([name, value]) => [name, this.once(`parameter ${name}`, [dFf], () => repeated(value, dFf))]),
    );
  }

  weight(name: string): string {
    const { rows, columns, data } = this.matrix(name);
    return this.once(name, [rows, columns], () => data);
  }

  /** `from` times a weight, plus its bias if it has one. */
  linear(from: string, name: string): string {
    const { bias, columns } = this.matrix(name);
    return bias === undefined
      ? this.node("MatMul", [from, this.weight(name)])
      : this.node("Gemm", [from, this.weight(name), this.once(`${name}Bias`, [columns], () => bias)]);
  }

  private matrix(name: string): Matrix {
    return this.matrices[name] as Matrix;
  }

  private once(key: string, shape: readonly number[], data: () => Float32Array): string {
    const known = this.constants.get(key) ?? this.constant(shape, data());
    this.constants.set(key, known);
    return known;
  }
}

/** The same state where a recorded pass kept it: its tensors are inputs of the graph. */
export function kept(graph: BlockGraph, x: string): Activated {
  const { plan } = graph;
  const read = (name: string): string => graph.input(name, ["rows", plan.dFf]);
  const slopes = varyingSlopes(plan).map((name) => [name, read(slopeName(name))]);
  const own = fusedForm(plan.form).second === undefined ? {} : { own: read("own") };
  return { x, hidden: read("hidden"), slopes: Object.fromEntries(slopes), ...own };
}

/** The products before the activation, and the activation with the slopes asked for. */
export function activate(graph: BlockGraph, x: string, wanted: readonly string[]): Activated {
  const { plan } = graph;
  const { operands, own } = project(graph, x);
  const named = plan.activation.inputs.map((name, i) => [name, operands[i] as string]);
  const slopes = slopeExpressions(plan);
  const [hidden, ...found] = graph.emit(
    [bind(plan, plan.activation.expression), ...wanted.map((name) => slopes[name] as Expr)],
    { ...Object.fromEntries(named), ...graph.channels() },
  );
  return {
    x,
    hidden: hidden as string,
    slopes: Object.fromEntries(wanted.map((name, i) => [name, found[i] as string])),
    ...(own !== undefined && { own }),
  };
}

/** The activation's inputs, in its order. */
function project(graph: BlockGraph, x: string): { operands: string[]; own?: string } {
  const { first, second, produced } = fusedForm(graph.plan.form);
  const products = first.map((name) => graph.linear(x, name));
  if (second === undefined) return { operands: products };
  const own = products[0] as string;
  const square = graph.linear(own, second);
  return { operands: produced[0] === 0 ? [square, own] : [own, square], own };
}

/** An expression with the block's own numbers for parameters, as float32 has them. */
function bind({ parameters }: BlockPlan, expr: Expr): Expr {
  const numbers = Object.entries(parameters).flatMap(([name, value]) =>
    typeof value === "number" ? [[name, num(Math.fround(value))] as const] : [],
  );
  return substitute(expr, Object.fromEntries(numbers));
}

/** The activation's slopes in its inputs and parameters. */
export function slopeExpressions(plan: BlockPlan): Record<string, Expr> {
  const slopes = Object.entries(gradientExpressions(plan.activation));
  return Object.fromEntries(slopes.map(([name, slope]) => [name, bind(plan, slope)]));
}

/** The variables whose slopes depend on the inputs, and so have a value for every element. */
export function varyingSlopes(plan: BlockPlan): string[] {
  const inputs: readonly string[] = plan.activation.inputs;
  return Object.entries(slopeExpressions(plan))
    .filter(([, slope]) => inputs.some((name) => variablesOf(slope).has(name)))
    .map(([name]) => name);
}
