// The reference's feed-forward block, forward and backward. It computes in float64 between inputs and results.
import type { BackwardCall, BlockParts } from "../block/facade.js";
import { weightShapes } from "../block/forms.js";
import { type BlockPlan, inputViews } from "../block/plan.js";
import type { Named, ParameterValue } from "../call/data.js";
import { activateInto, differentiateInto, type Numbers, type StridedNumbers } from "./elementwise.js";
import { addInputGradient, biasGradient, linear, weightGradient } from "./matrix.js";

/** The numbers of data of this backend. Throws an Error for data of another backend, or a tensor that is disposed. */
type NumbersOf = (named: Named) => Float32Array;

/** What a recorded pass keeps. */
interface Recorded {
  readonly rows: number;
  /** The block's input, then each product before the activation, by name. */
  readonly products: Readonly<Record<string, Numbers>>;
  readonly hidden: Float64Array;
}

export class ReferenceBlock implements BlockParts<Recorded> {
  private readonly weights: Readonly<Record<string, Float32Array>>;
  private readonly shapes: Readonly<Record<string, readonly number[]>>;

  constructor(
    private readonly plan: BlockPlan,
    private readonly numbers: NumbersOf,
  ) {
    this.shapes = weightShapes(plan.form, plan.dModel, plan.dFf);
    this.weights = Object.fromEntries(
      Object.entries(plan.weights).map(([name, data]) => [
        name,
        numbers({ name: `weights.${name}`, data }).slice(),
      ]),
    );
  }

  forward(x: Named, rows: number, y: Named): void {
    this.record(x, rows, y);
  }

  record(x: Named, rows: number, y: Named): Recorded {
    const { form, activation, dFf, parameters } = this.plan;
    const products: Record<string, Numbers> = { x: this.numbers(x).slice() };
    for (const { weight, from } of form.products)
      products[weight] = this.project(products[from] as Numbers, weight, rows);
    const hidden = new Float64Array(rows * dFf);
    activateInto(hidden, activation, this.inputs(products, rows), parameters);
    this.numbers(y).set(this.project(hidden, "down", rows));
    return { rows, products, hidden };
  }

  backward(
    recorded: Recorded,
    { dY, out, parameterGradients }: BackwardCall,
  ): Record<string, ParameterValue> {
    const gradients = this.gradients(recorded, this.numbers(dY));
    if (!parameterGradients) for (const name of Object.keys(this.plan.parameters)) delete gradients[name];
    for (const [name, target] of Object.entries(out))
      this.numbers(target).set(gradients[name] as Float32Array);
    return gradients;
  }

  release(): void {}

  dispose(): void {}

  private gradients({ rows, products, hidden }: Recorded, dY: Float32Array): Record<string, ParameterValue> {
    const { form, activation, parameters } = this.plan;
    const slopes: Record<string, Float64Array> = {};
    for (const [name, values] of Object.entries(products)) slopes[name] = new Float64Array(values.length);
    const gradients: Record<string, ParameterValue> = {};

    const dHidden = new Float64Array(hidden.length);
    this.unproject("down", hidden, dY, dHidden, rows, gradients);
    const inputs = this.inputs(products, rows);
    Object.assign(
      gradients,
      differentiateInto(this.inputs(slopes, rows), activation, inputs, parameters, dHidden),
    );
    for (const { weight, from } of form.products.toReversed()) {
      const [dProduct, dFrom] = [slopes[weight] as Float64Array, slopes[from] as Float64Array];
      this.unproject(weight, products[from] as Numbers, dProduct, dFrom, rows, gradients);
    }
    gradients.x = Float32Array.from(slopes.x as Float64Array);
    return gradients;
  }

  private inputs(products: Readonly<Record<string, Numbers>>, rows: number): StridedNumbers[] {
    return inputViews(this.plan, rows).map(({ product, view }) => ({
      data: products[product] as Numbers,
      view,
    }));
  }

  private project(x: Numbers, name: string, rows: number): Float64Array {
    const { weight, bias, sizes } = this.matrix(name, rows);
    return linear(x, weight, bias, sizes);
  }

  /** The backward pass of a projection: adds the gradient of x to `dx`, and stores the gradients of the weight and the bias. */
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
    const [inner = 0, columns = 0] = this.shapes[name] ?? [];
    return {
      weight: this.weights[name] as Float32Array,
      bias: this.weights[`${name}Bias`],
      sizes: [rows, inner, columns] as const,
    };
  }
}
