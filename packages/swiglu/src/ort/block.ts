// The feed-forward block of the ONNX Runtime backend. It calls the graphs of graph/block-models, and loads each when it is first
// needed.
import type { BackwardCall, BlockParts } from "../block/facade.js";
import { weightShapes } from "../block/forms.js";
import type { BlockPlan } from "../block/plan.js";
import type { Data, Named } from "../call/data.js";
import { sumsOf } from "../call/sums.js";
import { sizeOf } from "../layout.js";
import type { OnnxMath } from "../onnx/expression/options.js";
import type { Model } from "../onnx/model/model.js";
import type { ShapedArray } from "../onnx/runtime/session.js";
import type { Block } from "./graph/block-graph.js";
import { backwardModel, forwardModel, keptNames, recordModel } from "./graph/block-models.js";
import { copyWeights, type NumbersOf } from "./graph/block-weights.js";
import type { Loader } from "./loader.js";
import { aside, settle } from "./memory.js";
import { Sessions } from "./sessions.js";

/** Arrays by name. */
type Arrays = Readonly<Record<string, Float32Array>>;

/** The parts of its backend that a block uses. */
export interface BlockOwner {
  readonly loader: Loader;
  readonly math: OnnxMath;
  readonly numbers: NumbersOf;
}

export class OrtBlock implements BlockParts<Arrays> {
  private readonly sessions: Sessions;
  private readonly block: Block;
  /** The names of what a recorded pass keeps besides x. */
  private readonly kept: readonly string[];
  private readonly shapes: Readonly<Record<string, readonly number[]>>;

  /** With `recompute`, passes keep only x, and compute the activation again in their backward. */
  constructor(
    private readonly owner: BlockOwner,
    private readonly plan: BlockPlan,
    private readonly recompute: boolean,
  ) {
    this.sessions = new Sessions(owner.loader);
    this.kept = recompute ? [] : keptNames(plan);
    this.shapes = weightShapes(plan.form, plan.dModel, plan.dFf);
    this.block = { plan, matrices: copyWeights(plan, owner.numbers), math: owner.math };
  }

  async forward(x: Named, rows: number, y: Named): Promise<void> {
    await this.sessions.use(() => this.output("forward", this.owner.numbers(x), rows, y));
  }

  record(x: Named, rows: number, y: Named): Promise<Arrays> {
    return this.sessions.use(async () => {
      const own = this.owner.numbers(x).slice();
      const kept = await this.output(this.recompute ? "forward" : "record", own, rows, y);
      return { x: own, ...kept };
    });
  }

  backward(kept: Arrays, call: BackwardCall): Promise<Readonly<Record<string, Data | number>>> {
    return this.sessions.use(() => this.gradients({ ...kept, dY: this.owner.numbers(call.dY) }, call));
  }

  release(): void {}

  /** Calls under way still finish. */
  dispose(): void {
    this.sessions.close();
  }

  /** Runs a forward graph: writes y, and returns what a pass keeps. */
  private async output(
    which: "forward" | "record",
    x: Float32Array,
    rows: number,
    y: Named,
  ): Promise<Arrays> {
    const names = which === "record" ? this.kept : [];
    const target = [this.owner.numbers(y)];
    if (rows === 0) return Object.fromEntries(names.map((name) => [name, new Float32Array(0)]));
    const model = which === "forward" ? forwardModel : recordModel;
    const session = await this.sessions.session(which, () => model(this.block));
    const computed = aside(target, [x]);
    const outputs = {
      ...this.values({ y: computed[0] as Float32Array }, rows),
      ...Object.fromEntries(names.map((name) => [name, null])),
    };
    const { y: _, ...kept } = await session.run(this.values({ x }, rows), outputs);
    settle(target, computed);
    return kept as Arrays;
  }

  private async gradients(
    known: Arrays,
    { rows, out, parameterGradients }: BackwardCall,
  ): Promise<Readonly<Record<string, Data | number>>> {
    const { parameters, weights } = this.plan;
    const given = Object.keys(out);
    const targets = Object.values(out).map((target) => this.owner.numbers(target));
    const computed = aside(targets, Object.values(known));
    const into = new Map(given.map((name, i) => [name, computed[i]]));
    const names = ["x", ...Object.keys(weights), ...(parameterGradients ? Object.keys(parameters) : [])];
    const outputs = names.map((name) => {
      const data = into.get(name);
      return [`gradient_${name}`, data ? { data, dims: this.shape(name, rows) } : null] as const;
    });
    const found = rows === 0 ? undefined : await this.runBackward(known, rows, Object.fromEntries(outputs));
    if (found === undefined) for (const array of computed) array.fill(0);
    settle(targets, computed);
    const gradients = names.map((name) => {
      const sums = found?.[`gradient_${name}`] ?? new Float32Array(sizeOf(this.shape(name, rows)));
      const value = parameters[name];
      return [name, value === undefined ? sums : sumsOf(value, sums)];
    });
    return Object.fromEntries(gradients);
  }

  private async runBackward(
    known: Arrays,
    rows: number,
    outputs: Readonly<Record<string, ShapedArray | null>>,
  ): Promise<Arrays> {
    const model = (): Model => backwardModel(this.block, this.recompute);
    const session = await this.sessions.session("backward", model);
    return (await session.run(this.values(known, rows), outputs)) as Arrays;
  }

  /** The shape of a gradient. Gradients of parameters are sums for each channel of the hidden layer. */
  private shape(name: string, rows: number): readonly number[] {
    const { dModel, dFf } = this.plan;
    return name === "x" ? [rows, dModel] : (this.shapes[name] ?? [dFf]);
  }

  /** Row-major arrays with their shapes; an array's width follows from its length. */
  private values(arrays: Arrays, rows: number): Record<string, ShapedArray> {
    return Object.fromEntries(
      Object.entries(arrays).map(([name, data]) => [name, { data, dims: [rows, data.length / rows] }]),
    );
  }
}
