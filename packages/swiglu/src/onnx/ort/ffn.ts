// The feed-forward block of the ONNX Runtime backend: its graphs, each loaded when it is first needed, and recorded passes.
import type { ActivateOptions, Ffn, FfnGradients, Pass } from "../../backend/backend.js";
import { checkData, checkLength } from "../../backend/check.js";
import type { Data, ParameterValue } from "../../backend/data.js";
import { checkGradientArrays, checkRows, type FfnPlan, weightShapes } from "../../backend/ffn.js";
import { sizeOf } from "../../layout.js";
import type { OnnxMath } from "../options.js";
import type { Block } from "./ffn-graph.js";
import { backwardModel, forwardModel, keptNames, recordModel } from "./ffn-models.js";
import { copyWeights, type Read } from "./ffn-weights.js";
import { aside, Pool, settle } from "./memory.js";
import type { Loader, Value } from "./runtime.js";
import { Sessions } from "./sessions.js";

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
  private readonly pool = new Pool();
  /** What a recorded pass keeps besides x. */
  private readonly keptNames: readonly string[];

  /** With `recompute`, passes keep only x, and compute the activation again in their backward. */
  constructor(
    private readonly owner: BlockOwner,
    private readonly plan: FfnPlan,
    private readonly recompute: boolean,
  ) {
    this.sessions = new Sessions(owner.loader, "this feed-forward block is disposed: create a new one");
    this.keptNames = recompute ? [] : keptNames(plan);
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
      const target: Data = out ?? new Float32Array(rows * this.plan.dModel);
      checkLength(checkData(target, "out"), "out", rows * this.plan.dModel);
      const y = [this.owner.numbers(target, "out")] as const;
      const [computed] = aside(y, [given]) as [Float32Array];
      await this.output("forward", given, rows, computed, {});
      settle(y, [computed]);
      return target as D;
    });
  }

  async record(x: Data, rows: number): Promise<Pass<W>> {
    return this.sessions.use(async () => {
      const given = this.rows("x", x, rows);
      const own = this.pool.take(given.length);
      own.set(given);
      const kept: Record<string, Float32Array> = { x: own };
      for (const name of this.keptNames) kept[name] = this.pool.take(rows * this.plan.dFf);
      const y = new Float32Array(rows * this.plan.dModel);
      const { x: _, ...outputs } = this.values(kept, rows);
      await this.output(this.recompute ? "forward" : "record", own, rows, y, outputs);
      return this.pass(y, rows, kept);
    });
  }

  /** Calls under way end as they would have. */
  dispose(): void {
    this.owner.blocks.delete(this);
    this.sessions.close();
  }

  private pass(y: Float32Array, rows: number, kept: Readonly<Record<string, Float32Array>>): Pass<W> {
    let alive = true;
    let running = 0;
    return {
      y,
      backward: async (dY, options) => {
        if (!alive) throw new Error("this pass is disposed: record a new one");
        running++;
        try {
          return await this.sessions.use(async () => {
            const slope = this.rows("dY", dY, rows);
            const out = checkGradientArrays(this.plan, rows, options?.out);
            return this.backward(slope, rows, kept, out);
          });
        } finally {
          running--;
        }
      },
      dispose: () => {
        // What a backward still reads is not used again.
        if (alive && running === 0) this.pool.give(Object.values(kept));
        alive = false;
      },
    };
  }

  private async output(
    which: "forward" | "record",
    x: Float32Array,
    rows: number,
    y: Float32Array,
    kept: Readonly<Record<string, Value>>,
  ): Promise<void> {
    if (rows === 0) return;
    const model = which === "forward" ? forwardModel : recordModel;
    const program = await this.sessions.program(which, () => model(this.block));
    await program.run(this.values({ x }, rows), { ...this.values({ y }, rows), ...kept });
  }

  private async backward(
    dY: Float32Array,
    rows: number,
    kept: Readonly<Record<string, Float32Array>>,
    out: Readonly<Record<string, Float32Array>>,
  ): Promise<FfnGradients<W>> {
    const { plan, recompute } = this;
    const { dModel, dFf, form, parameters } = plan;
    const shapes = Object.fromEntries(
      ["x", ...Object.keys(plan.weights)].map((name) => [
        name,
        name === "x" ? [rows, dModel] : (weightShapes[form][name]?.(dModel, dFf) ?? []),
      ]),
    );
    const names = Object.keys(shapes);
    const targets = names.map((name) => out[name] ?? new Float32Array(sizeOf(shapes[name] ?? [])));
    const computed = aside(targets, [dY]);
    const sums = Object.keys(parameters).map((name) => [name, new Float32Array(dFf)] as const);
    if (rows === 0) for (const array of computed) array.fill(0);
    else {
      const program = await this.sessions.program("backward", () => backwardModel(this.block, recompute));
      const outputs = [
        ...names.map(
          (name, i) => [name, { data: computed[i] as Float32Array, dims: shapes[name] ?? [] }] as const,
        ),
        ...sums.map(([name, data]) => [name, { data, dims: [dFf] }] as const),
      ].map(([name, value]) => [`gradient_${name}`, value]);
      await program.run(this.values({ ...kept, dY }, rows), Object.fromEntries(outputs));
    }
    settle(targets, computed);
    return Object.fromEntries([
      ...names.map((name, i) => [name, targets[i]]),
      ...sums.map(([name, sum]) => [name, perChannel(sum, parameters[name] as ParameterValue)]),
    ]) as FfnGradients<W>;
  }

  /** Row-major data with its shape: all but x, y and dY are as wide as the hidden layer. */
  private values(arrays: Readonly<Record<string, Float32Array>>, rows: number): Record<string, Value> {
    return Object.fromEntries(
      Object.entries(arrays).map(([name, data]) => [name, { data, dims: [rows, data.length / rows] }]),
    );
  }

  private rows(name: string, data: Data, rows: number): Float32Array {
    checkRows(name, checkData(data, name), rows, this.plan.dModel);
    return this.owner.numbers(data, name);
  }
}

/** A parameter's gradient in its own shape, from sums for each channel of the hidden layer. */
function perChannel(sums: Float32Array, value: ParameterValue): ParameterValue {
  const total = new Float64Array(typeof value === "number" ? 1 : value.length);
  for (let i = 0; i < sums.length; i++) total[i % total.length]! += sums[i] as number;
  return typeof value === "number" ? (total[0] as number) : Float32Array.from(total);
}
