// The backward pass of a feed-forward block. The product dY downᵀ is fused with the activation's gradients. Then follow one
// product for the gradient of x and one for the weights of each matrix. Biases and parameters are sums of columns.

import { fusedForm, weightShapes } from "../../block/forms.js";
import type { BlockPlan } from "../../block/plan.js";
import { isFloat32Array } from "../../call/arrays.js";
import type { Data, ParameterValue } from "../../call/data.js";
import { sumsOf } from "../../call/sums.js";
import { sizeOf } from "../../layout.js";
import type { Place } from "../device/buffers.js";
import type { Call, Read } from "../device/call.js";
import { convert, type Stored } from "../device/convert.js";
import { columnSums, copyOut, unpadded } from "../product/matrix-copy.js";
import { type Matrix, padded } from "../product/product.js";
import type { BlockProducts, Inputs, Kept } from "./products.js";
import { firstSources } from "./weights.js";

/** Gradients by name. */
export type Gradients = Readonly<Record<string, Data | ParameterValue>>;

/** The caller's array or tensor for a gradient, and its place if it is a tensor. */
interface Target {
  readonly data: Data;
  readonly tensor: Place | undefined;
}

/** One call of `backward` on one recorded pass. */
export class BlockBackward {
  private readonly gradients: Record<string, Data | ParameterValue> = {};
  private readonly shapes: Readonly<Record<string, readonly number[]>>;
  private readonly reads: Read[] = [];
  private readonly copies: (Stored & { readonly tensor: Place; readonly count: number })[] = [];

  constructor(
    private readonly call: Call,
    private readonly plan: BlockPlan,
    private readonly products: BlockProducts,
    private readonly kept: Kept,
    /** By name. Gradients without a target go to new arrays. */
    private readonly targets: Readonly<Record<string, Target>>,
    private readonly parameterGradients: boolean,
  ) {
    this.shapes = weightShapes(plan.form, plan.dModel, plan.dFf);
  }

  async run(dY: Matrix): Promise<Gradients> {
    const { call, plan, products, kept } = this;
    const { x, rows } = kept;
    const { activation, dModel, parameters } = plan;
    const { second, produced } = fusedForm(plan.form);
    const inputs = kept.inputs ?? this.computeInputs();
    const [hidden, ...slopes] = products.slopes(call, dY, rows, inputs, this.parameterGradients) as [
      Matrix,
      ...Matrix[],
    ];
    this.weight("down", products.weightGradients(call, hidden, [dY], rows)[0] as Matrix);
    this.bias("down", dY, rows);

    let flows = slopes.slice(0, activation.inputs.length);
    if (second !== undefined) {
      const [through] = produced as [number];
      const [own, flow] = [flows[1 - through], flows[through]] as [Matrix, Matrix];
      const first = { place: inputs.own as Place, columns: plan.dFf };
      this.weight(second, products.weightGradients(call, first, [flow], rows)[0] as Matrix);
      this.bias(second, flow, rows);
      flows = [products.ownGradient(call, own, flow, rows)];
    }
    this.firstWeights(products.weightGradients(call, x, flows, rows), flows);
    const dX = call.room(rows * padded(dModel));
    products.inputGradient(call, flows, rows, dX);
    this.take("x", unpadded(call, { place: dX, columns: dModel }, rows));

    const sums = slopes.slice(activation.inputs.length).map((terms, i) => {
      const into = new Float32Array(plan.dFf);
      this.reads.push({ place: columnSums(call, terms, rows), into, as: "f32" });
      const [name, value] = Object.entries(parameters)[i] as [string, ParameterValue];
      return { name, value, into };
    });
    this.copyOut();
    await call.read(this.reads);
    for (const { name, value, into } of sums) this.gradients[name] = sumsOf(value, into);
    return this.gradients;
  }

  private computeInputs(): Inputs {
    const { call, products, kept } = this;
    const inputs = products.roomForInputs((count) => call.room(count), kept.rows);
    products.hidden(call, kept.x, kept.rows, inputs);
    return inputs;
  }

  /** Keeps the gradients of the weights that multiply x, and of their biases. Those of a packed weight are joined. */
  private firstWeights(gradients: readonly Matrix[], flows: readonly Matrix[]): void {
    const { call, plan, kept } = this;
    const sources = firstSources(plan);
    if (plan.layout === undefined) {
      sources.forEach(({ weight }, i) => {
        this.weight(weight, gradients[i] as Matrix);
        this.bias(weight, flows[i] as Matrix, kept.rows);
      });
      return;
    }
    const { dModel, dFf } = plan;
    const packed = call.room(2 * dModel * dFf);
    sources.forEach(({ view }, i) => {
      copyOut(call, (gradients[i] as Matrix).place, packed, view, [dModel, dFf]);
    });
    this.take("packed", packed);
    if (plan.weights.packedBias === undefined) return;
    const bias = call.room(2 * dFf, "f32");
    sources.forEach(({ view }, i) => {
      copyOut(call, columnSums(call, flows[i] as Matrix, kept.rows), bias, view, [1, dFf], "f32");
    });
    this.take("packedBias", bias, "f32");
  }

  private weight(name: string, gradient: Matrix): void {
    const [rows = 0] = this.shapes[name] ?? [];
    this.take(name, unpadded(this.call, gradient, rows));
  }

  private bias(weight: string, flow: Matrix, rows: number): void {
    const name = `${weight}Bias`;
    if (this.plan.weights[name] !== undefined) this.take(name, columnSums(this.call, flow, rows), "f32");
  }

  /** Keeps a gradient: it is copied to the caller's tensor later, or read into the caller's array or a new one. */
  private take(name: string, place: Place, as = this.call.gpu.storage): void {
    const { plan, kept } = this;
    const shape = name === "x" ? [kept.rows, plan.dModel] : (this.shapes[name] ?? []);
    const { data, tensor } = this.targets[name] ?? { data: new Float32Array(sizeOf(shape)) };
    this.gradients[name] = data;
    if (isFloat32Array(data)) this.reads.push({ place, into: data, as });
    else if (tensor) this.copies.push({ place, as, tensor, count: data.length });
  }

  /** Copies gradients to the caller's tensors. This happens at the end, since dY may be one of them. */
  private copyOut(): void {
    const { call, copies } = this;
    const { storage } = call.gpu;
    for (const { place, as, tensor, count } of copies)
      if (as === storage) call.copy(place, tensor, tensor.size);
      else convert(call, { place, as }, { place: tensor, as: storage }, count);
  }
}
