// The weights of a feed-forward block in the GPU's memory. They are uploaded once, with rows padded to whole quads; a packed weight
// becomes two matrices.

import { fusedForm } from "../../block/forms.js";
import type { BlockPlan } from "../../block/plan.js";
import { isFloat32Array } from "../../call/arrays.js";
import { repeated } from "../../call/channels.js";
import type { Data, Named, ParameterValue } from "../../call/data.js";
import { type PackedLayout, packedViews } from "../../layout.js";
import { bytesOf, type Memory, type Place } from "../device/buffers.js";
import type { Call } from "../device/call.js";
import type { Gpu } from "../device/device.js";
import { copyIn, dense, type MatrixView } from "../product/matrix-copy.js";
import { type Matrix, padded, quadsOf } from "../product/product.js";

/** The place of data during a call. Throws an Error for data of another backend, or a tensor that is disposed. */
export type Locate = (named: Named, call: Call) => Place;

/** A matrix of a product: the weight of the block that holds it, and where it is in that weight. */
interface Source {
  readonly weight: string;
  readonly view: MatrixView;
}

/** Where gate and up are in a packed weight. Each has `columns` columns. */
function packedMatrices(columns: number, layout: PackedLayout): MatrixView[] {
  const { gate, up } = packedViews([1, 2 * columns], { layout });
  return [gate, up].map(({ offset, run, stride }) => ({
    offset,
    rowStep: 2 * columns,
    step: run === 1 ? stride : 1,
  }));
}

/** The matrices that multiply x: gate and up, or one. */
export function firstSources({ form, dFf, layout }: BlockPlan): Source[] {
  return form.products
    .filter(({ from }) => from === "x")
    .flatMap(({ weight, times }) => {
      const views = times === 2 ? packedMatrices(dFf, layout as PackedLayout) : [dense(dFf)];
      return views.map((view) => ({ weight, view }));
    });
}

export class GpuWeights {
  /** The matrices that multiply x. */
  readonly first: readonly Matrix[];
  /** Self-gated blocks: the weight of the product of `in`. */
  readonly square: Matrix | undefined;
  readonly down: Matrix;
  /** Vectors with a value for each channel of the hidden layer: the biases of the last product, then the parameters. */
  readonly channels: Place;
  /** The parameters alone, if there are any. */
  readonly parameters: Place | undefined;
  /** Self-gated blocks: the bias of the first product. */
  readonly inBias: Place | undefined;
  readonly downBias: Place;
  private readonly memory: Memory[] = [];

  constructor(
    private readonly gpu: Gpu,
    private readonly plan: BlockPlan,
    private readonly locate: Locate,
    call: Call,
  ) {
    const { form, dFf, dModel } = plan;
    const sources = firstSources(plan);
    const { second } = fusedForm(form);
    const square = second === undefined ? undefined : { weight: second, view: dense(dFf) };
    const down = { weight: "down", view: dense(dModel) };
    const parameters = Object.values(plan.parameters);
    this.first = sources.map((source) => this.matrix(source, dModel, dFf, call));
    this.square = square && this.matrix(square, dFf, dFf, call);
    this.down = this.matrix(down, dFf, dModel, call);
    this.channels = this.vectors(square ? [square] : sources, parameters, dFf, call);
    this.parameters = parameters.length > 0 ? this.vectors([], parameters, dFf, call) : undefined;
    this.inBias = square && this.vectors(sources, [], dFf, call);
    this.downBias = this.vectors([down], [], dModel, call);
  }

  dispose(): void {
    for (const memory of this.memory) this.gpu.buffers.destroy(memory);
  }

  private make(bytes: number, call: Call): Place {
    const memory = this.gpu.buffers.make(bytes, "a weight of this block");
    this.memory.push(memory);
    call.require(memory.checked);
    return { buffer: memory.buffer, offset: 0, size: memory.buffer.size };
  }

  private matrix({ weight, view }: Source, rows: number, columns: number, call: Call): Matrix {
    const as = this.gpu.storage;
    // New memory is zero, also behind the last row. Products with few rows rely on that.
    const place = this.make(bytesOf(as) * padded(rows) * padded(columns), call);
    const data = this.plan.weights[weight] as Data;
    if (isFloat32Array(data) && view.rowStep === padded(columns)) call.write(data, place);
    else {
      const from = this.locate({ name: `weights.${weight}`, data }, call);
      copyIn(call, { place: from, as, ...view }, { place, as }, [rows, columns]);
    }
    return { place, columns };
  }

  /** Uploads vectors in float32, one after the other: the biases, or zeros for those not given, then the parameters. */
  private vectors(
    biases: readonly Source[],
    parameters: readonly ParameterValue[],
    columns: number,
    call: Call,
  ): Place {
    const length = padded(columns);
    const values = new Float32Array((biases.length + parameters.length) * length);
    parameters.forEach((value, i) => {
      const channels = typeof value === "number" ? [value] : value;
      values.set(repeated(channels, columns), (biases.length + i) * length);
    });
    const place = this.make(values.byteLength, call);
    call.write(values, place, "f32");
    biases.forEach(({ weight, view }, i) => {
      const name = `${weight}Bias`;
      const data = this.plan.weights[name];
      if (data === undefined) return;
      const from = {
        place: this.locate({ name: `weights.${name}`, data }, call),
        as: this.gpu.storage,
        ...view,
      };
      copyIn(call, from, { place, as: "f32" }, [1, columns], i * quadsOf(columns));
    });
    return place;
  }
}
