// The feed-forward block of the ONNX Runtime backend: its graphs, each loaded when it is first needed, and recorded passes.
import type {
  ActivateOptions,
  Ffn,
  FfnGradients,
  Pass,
  PassOptions,
  PassOutputs,
} from "../backend/backend.js";
import { checkGradientOutputs, checkRows, type FfnPlan, weightShapes } from "../block/plan.js";
import { resultOutput } from "../call/check.js";
import type { Data } from "../call/data.js";
import { sumsOf } from "../call/sums.js";
import { sizeOf } from "../layout.js";
import type { Model } from "../onnx/model.js";
import type { OnnxMath } from "../onnx/options.js";
import type { Block } from "./ffn-graph.js";
import { backwardModel, forwardModel, keptNames, recordModel } from "./ffn-models.js";
import { copyWeights, type Read } from "./ffn-weights.js";
import { aside, settle } from "./memory.js";
import type { Loader, Value } from "./runtime.js";
import { Sessions } from "./sessions.js";

/** Arrays by name. */
type Arrays = Readonly<Record<string, Float32Array>>;

/** What of its backend a block uses. */
export interface BlockOwner {
  readonly loader: Loader;
  readonly math: OnnxMath;
  readonly numbers: Read;
  /** Its blocks that are not disposed. */
  readonly blocks: Set<{ dispose(): void }>;
}

export class OrtFfn<W> implements Ffn<W> {
  private readonly sessions: Sessions;
  private readonly block: Block;
  /** What a recorded pass keeps besides x. */
  private readonly kept: readonly string[];

  /** With `recompute`, passes keep only x, and compute the activation again in their backward. */
  constructor(
    private readonly owner: BlockOwner,
    private readonly plan: FfnPlan,
    private readonly recompute: boolean,
  ) {
    this.sessions = new Sessions(owner.loader, "this feed-forward block is disposed: create a new one");
    this.kept = recompute ? [] : keptNames(plan);
    owner.blocks.add(this);
    this.block = { plan, matrices: copyWeights(plan, owner.numbers), math: owner.math };
  }

  async forward<D extends Data = Float32Array>(
    x: Data,
    rows: number,
    { out }: ActivateOptions<D> = {},
  ): Promise<NoInfer<D>> {
    return this.sessions.use(async () => {
      const given = this.rows("x", x, rows);
      const y = resultOutput(given.length, out);
      await this.output("forward", given, rows, y);
      return y as D;
    });
  }

  async record<D extends Data = Float32Array>(
    x: Data,
    rows: number,
    { out }: ActivateOptions<D> = {},
  ): Promise<Pass<W, NoInfer<D>>> {
    return this.sessions.use(async () => {
      const own = this.rows("x", x, rows).slice();
      const y = resultOutput(own.length, out);
      const kept = await this.output(this.recompute ? "forward" : "record", own, rows, y);
      return this.pass(y as D, rows, { x: own, ...kept });
    });
  }

  /** Calls under way end as they would have. */
  dispose(): void {
    this.owner.blocks.delete(this);
    this.sessions.close();
  }

  private pass<Y extends Data>(y: Y, rows: number, recorded: Arrays): Pass<W, Y> {
    let kept: Arrays | undefined = recorded;
    return {
      y,
      backward: async <O extends PassOutputs<W>>(dY: Data, options?: PassOptions<W, O>) => {
        if (kept === undefined) throw new Error("this pass is disposed: record a new one");
        const read = kept;
        return this.sessions.use(async () => {
          const slope = this.rows("dY", dY, rows);
          const out = checkGradientOutputs(this.plan, rows, options?.out);
          const all = options?.parameterGradients ?? true;
          return (await this.backward({ ...read, dY: slope }, rows, out, all)) as FfnGradients<W, O>;
        });
      },
      dispose: () => {
        kept = undefined;
      },
    };
  }

  /** Runs a forward graph: y goes to its place, and what is kept is returned. */
  private async output(which: "forward" | "record", x: Float32Array, rows: number, y: Data): Promise<Arrays> {
    const names = which === "record" ? this.kept : [];
    const target = [this.owner.numbers(y, "out")];
    if (rows === 0) return Object.fromEntries(names.map((name) => [name, new Float32Array(0)]));
    const model = which === "forward" ? forwardModel : recordModel;
    const program = await this.sessions.program(which, () => model(this.block));
    const computed = aside(target, [x]);
    const outputs = {
      ...this.values({ y: computed[0] as Float32Array }, rows),
      ...Object.fromEntries(names.map((name) => [name, null])),
    };
    const { y: _, ...kept } = await program.run(this.values({ x }, rows), outputs);
    settle(target, computed);
    return kept as Arrays;
  }

  private async backward(
    read: Arrays,
    rows: number,
    out: Readonly<Record<string, Data>>,
    parameterGradients: boolean,
  ): Promise<Readonly<Record<string, Data | number>>> {
    const { parameters, weights } = this.plan;
    const given = Object.keys(out);
    const targets = given.map((name) => this.owner.numbers(out[name] as Data, `out.${name}`));
    const computed = aside(targets, Object.values(read));
    const into = new Map(given.map((name, i) => [name, computed[i]]));
    const names = ["x", ...Object.keys(weights), ...(parameterGradients ? Object.keys(parameters) : [])];
    const outputs = names.map((name) => {
      const data = into.get(name);
      return [`gradient_${name}`, data ? { data, dims: this.shape(name, rows) } : null] as const;
    });
    const found = rows === 0 ? undefined : await this.runBackward(read, rows, Object.fromEntries(outputs));
    if (found === undefined) for (const array of computed) array.fill(0);
    settle(targets, computed);
    const gradients = names.map((name) => {
      const sums = found?.[`gradient_${name}`] ?? new Float32Array(sizeOf(this.shape(name, rows)));
      const value = parameters[name];
      return [name, out[name] ?? (value === undefined ? sums : sumsOf(value, sums))];
    });
    return Object.fromEntries(gradients);
  }

  private async runBackward(
    read: Arrays,
    rows: number,
    outputs: Readonly<Record<string, Value | null>>,
  ): Promise<Arrays> {
    const model = (): Model => backwardModel(this.block, this.recompute);
    const program = await this.sessions.program("backward", model);
    return (await program.run(this.values(read, rows), outputs)) as Arrays;
  }

  /** The shape of a gradient; those of parameters are sums for each channel of the hidden layer. */
  private shape(name: string, rows: number): readonly number[] {
    const { dModel, dFf, form } = this.plan;
    return name === "x" ? [rows, dModel] : (weightShapes[form][name]?.(dModel, dFf) ?? [dFf]);
  }

  /** Row-major data with its shape: all but x, y and dY are as wide as the hidden layer. */
  private values(arrays: Arrays, rows: number): Record<string, Value> {
    return Object.fromEntries(
      Object.entries(arrays).map(([name, data]) => [name, { data, dims: [rows, data.length / rows] }]),
    );
  }

  private rows(name: string, data: Data, rows: number): Float32Array {
    checkRows(name, data, rows, this.plan.dModel);
    return this.owner.numbers(data, name);
  }
}
