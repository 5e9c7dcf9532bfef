// The facade of the blocks of all backends. It checks calls, chooses outputs, makes passes, and refuses calls after `dispose`.
// A backend supplies the computation of checked calls: `BlockParts`.
import { resultOutput } from "../call/check.js";
import type { ActivateOptions, Answer, Data, Named, ParameterValue } from "../call/data.js";
import type { Ffn, FfnGradients, Pass, PassOptions, PassOutputs } from "./block.js";
import { type BlockPlan, checkGradientOutputs, checkRows } from "./plan.js";

/** A checked call of `backward`. */
export interface BackwardCall {
  readonly rows: number;
  readonly dY: Named;
  /** The caller's arrays and tensors for gradients, by name. */
  readonly out: Readonly<Record<string, Named>>;
  /** Whether the gradients of the activation's parameters are asked for. */
  readonly parameterGradients: boolean;
}

/** How a backend computes a block. `K` is what a recorded pass keeps for its backward. */
export interface BlockParts<K> {
  /** Computes y from x. */
  forward(x: Named, rows: number, y: Named): Answer<void>;
  /** Computes y from x, and returns what `backward` needs. */
  record(x: Named, rows: number, y: Named): Answer<K>;
  /** Writes the gradients that `out` names there. Returns the others by name, in new arrays. */
  backward(kept: K, call: BackwardCall): Answer<Readonly<Record<string, Data | ParameterValue>>>;
  /** Frees what a recorded pass keeps. */
  release(kept: K): void;
  /** Frees the block. */
  dispose(): void;
}

/** The backend of a block, as the block sees it. */
export interface BlockOwner {
  /** Throws where the backend can compute no more. */
  readonly alive: () => void;
  /** Tells the backend that the block is disposed. */
  readonly ended: () => void;
}

export class BlockFacade<W, K> implements Ffn<W> {
  private disposed = false;

  constructor(
    private readonly plan: BlockPlan,
    private readonly parts: BlockParts<K>,
    private readonly owner: BlockOwner,
  ) {}

  async forward<D extends Data = Float32Array>(
    x: Data,
    rows: number,
    { out }: ActivateOptions<D> = {},
  ): Promise<NoInfer<D>> {
    const { input, y } = this.check(x, rows, out);
    await this.parts.forward(input, rows, y);
    return y.data as D;
  }

  async record<D extends Data = Float32Array>(
    x: Data,
    rows: number,
    { out }: ActivateOptions<D> = {},
  ): Promise<Pass<W, NoInfer<D>>> {
    const { input, y } = this.check(x, rows, out);
    const kept = await this.parts.record(input, rows, y);
    let alive = true;
    return {
      y: y.data as D,
      backward: async <O extends PassOutputs<W>>(dY: Data, options: PassOptions<W, O> = {}) => {
        if (!alive) throw new Error("this pass is disposed: record a new one");
        return (await this.backward(kept, rows, dY, options)) as FfnGradients<W, O>;
      },
      dispose: () => {
        if (alive) this.parts.release(kept);
        alive = false;
      },
    };
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.owner.ended();
    this.parts.dispose();
  }

  private async backward(kept: K, rows: number, dY: Data, options: PassOptions<W>) {
    this.checkInput("dY", dY, rows);
    const out = checkGradientOutputs(this.plan, rows, options.out);
    const named = Object.entries(out).map(([name, data]) => [name, { name: `out.${name}`, data }] as const);
    const gradients = await this.parts.backward(kept, {
      rows,
      dY: { name: "dY", data: dY },
      out: Object.fromEntries(named),
      parameterGradients: options.parameterGradients ?? true,
    });
    return { ...gradients, ...out };
  }

  private check(x: Data, rows: number, out: Data | undefined) {
    this.checkInput("x", x, rows);
    const y = resultOutput(rows * this.plan.dModel, out);
    return { input: { name: "x", data: x }, y: { name: "out", data: y } };
  }

  private checkInput(name: string, data: Data, rows: number): void {
    if (this.disposed) throw new Error("this feed-forward block is disposed: create a new one");
    this.owner.alive();
    checkRows(name, data, rows, this.plan.dModel);
  }
}
