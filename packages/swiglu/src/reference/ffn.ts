// The reference's feed-forward block: projections, activation, down, and the same backwards; float64 between input and result.
import type {
  ActivateOptions,
  Ffn,
  FfnGradients,
  Pass,
  PassOptions,
  PassOutputs,
} from "../backend/backend.js";
import {
  activationOperands,
  checkGradientOutputs,
  checkRows,
  type FfnPlan,
  projections,
  weightShapes,
} from "../block/plan.js";
import { resultOutput } from "../call/check.js";
import type { Data, ParameterValue } from "../call/data.js";
import { activateInto, differentiateInto, type Numbers, type Operand } from "./elementwise.js";
import { addInputGradient, biasGradient, linear, weightGradient } from "./matrix.js";

/** Looks into data of this backend; throws where it belongs to another or is disposed. */
export type Read = (data: Data, name: string) => Float32Array;

/** What a forward leaves for its backward. */
interface Recorded {
  readonly rows: number;
  /** The block's input, then each product before the activation, by name. */
  readonly products: Readonly<Record<string, Numbers>>;
  readonly hidden: Float64Array;
  readonly y: Data;
}

export class ReferenceFfn<W> implements Ffn<W> {
  private weights: Readonly<Record<string, Float32Array>> | undefined;

  constructor(
    private readonly plan: FfnPlan,
    private readonly read: Read,
  ) {
    this.weights = Object.fromEntries(
      Object.entries(plan.weights).map(([name, data]) => [name, read(data, `weights.${name}`).slice()]),
    );
  }

  async forward<D extends Data = Float32Array>(
    x: Data,
    rows: number,
    { out }: ActivateOptions<D> = {},
  ): Promise<NoInfer<D>> {
    const { y } = this.run(x, rows, out);
    return y as D;
  }

  async record<D extends Data = Float32Array>(
    x: Data,
    rows: number,
    { out }: ActivateOptions<D> = {},
  ): Promise<Pass<W, NoInfer<D>>> {
    let recorded: Recorded | undefined = this.run(x, rows, out);
    return {
      y: recorded.y as D,
      backward: async <O extends PassOutputs<W>>(dY: Data, options?: PassOptions<W, O>) => {
        if (recorded === undefined) throw new Error("this pass is disposed: record a new one");
        checkRows("dY", dY, rows, this.plan.dModel);
        const out = checkGradientOutputs(this.plan, rows, options?.out);
        const gradients: Record<string, ParameterValue> = this.backward(recorded, this.read(dY, "dY"));
        if (options?.parameterGradients === false)
          for (const name of Object.keys(this.plan.parameters)) delete gradients[name];
        for (const [name, data] of Object.entries(out))
          this.read(data, `out.${name}`).set(gradients[name] as Float32Array);
        return { ...gradients, ...out } as FfnGradients<W, O>;
      },
      dispose: () => {
        recorded = undefined;
      },
    };
  }

  dispose(): void {
    this.weights = undefined;
  }

  private run(x: Data, rows: number, out: Data | undefined): Recorded {
    const { form, activation, dModel, dFf, parameters } = this.plan;
    checkRows("x", x, rows, dModel);
    const y = resultOutput(rows * dModel, out);
    const products: Record<string, Numbers> = { x: this.read(x, "x").slice() };
    for (const { weight, from } of projections[form])
      products[weight] = this.project(products[from] as Numbers, weight, rows);
    const hidden = new Float64Array(rows * dFf);
    activateInto(hidden, activation, this.operands(products, rows), parameters);
    this.read(y, "out").set(this.project(hidden, "down", rows));
    return { rows, products, hidden, y };
  }

  private backward({ rows, products, hidden }: Recorded, dY: Float32Array): Record<string, ParameterValue> {
    const { form, activation, parameters } = this.plan;
    const slopes: Record<string, Float64Array> = {};
    for (const [name, values] of Object.entries(products)) slopes[name] = new Float64Array(values.length);
    const gradients: Record<string, ParameterValue> = {};

    const dHidden = new Float64Array(hidden.length);
    this.unproject("down", hidden, dY, dHidden, rows, gradients);
    const operands = this.operands(products, rows);
    Object.assign(
      gradients,
      differentiateInto(this.operands(slopes, rows), activation, operands, parameters, dHidden),
    );
    for (const { weight, from } of projections[form].toReversed()) {
      const [dProduct, dFrom] = [slopes[weight] as Float64Array, slopes[from] as Float64Array];
      this.unproject(weight, products[from] as Numbers, dProduct, dFrom, rows, gradients);
    }
    gradients.x = Float32Array.from(slopes.x as Float64Array);
    return gradients;
  }

  private operands(products: Readonly<Record<string, Numbers>>, rows: number): Operand[] {
    return activationOperands(this.plan, rows).map(({ product, view }) => ({
      data: products[product] as Numbers,
      view,
    }));
  }

  private project(x: Numbers, name: string, rows: number): Float64Array {
    const { weight, bias, sizes } = this.matrix(name, rows);
    return linear(x, weight, bias, sizes);
  }

  /** Adds to `dx` what flows back through a projection, and stores the gradients of its weight and bias. */
  private unproject(
    name: string,
    x: Numbers,
    dy: Numbers,
    dx: Float64Array,
    rows: number,
    gradients: Record<string, ParameterValue>,
  ): void {
    const { weight, bias, sizes } = this.matrix(name, rows);
    addInputGradient(dx, dy, weight, sizes);
    gradients[name] = Float32Array.from(weightGradient(x, dy, sizes));
    if (bias) gradients[`${name}Bias`] = Float32Array.from(biasGradient(dy, sizes[2]));
  }

  private matrix(name: string, rows: number) {
    if (this.weights === undefined) throw new Error("this feed-forward block is disposed: create a new one");
    const { form, dModel, dFf } = this.plan;
    const [inner = 0, columns = 0] = weightShapes[form][name]?.(dModel, dFf) ?? [];
    return {
      weight: this.weights[name] as Float32Array,
      bias: this.weights[`${name}Bias`],
      sizes: [rows, inner, columns] as const,
    };
  }
}
