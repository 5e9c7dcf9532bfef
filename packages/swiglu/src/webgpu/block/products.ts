// The products of a feed-forward block, forward and backward: for each the factors, the epilogue, and the places of the results.
import { fusedForm } from "../../block/forms.js";
import type { BlockPlan } from "../../block/plan.js";
import { bytesOf, type Place, wholeQuads } from "../device/buffers.js";
import type { Call } from "../device/call.js";
import type { Bindings } from "../device/signature.js";
import { type Matrix, multiply, padded, quadsOf } from "../product/product.js";
import type { Epilogue, Product, Rows } from "../product/tile-kernel.js";
import { activationEpilogue, gradientEpilogue, inputSources, plainEpilogue } from "./epilogue-kernels.js";
import type { GpuWeights } from "./weights.js";

/** The inputs of the activation, as a forward pass keeps them for the backward pass. */
export interface Inputs {
  /** Self-gated blocks: the first product, which is an input itself. */
  readonly own: Place | undefined;
  /** The sums of the last product: one matrix for each, one after the other. */
  readonly sums: Place;
}

/** What a forward pass keeps for the backward pass. Inputs that are not kept are computed again. */
export interface Kept {
  readonly rows: number;
  readonly x: Matrix;
  readonly inputs: Inputs | undefined;
}

export class BlockProducts {
  private readonly sums: number;

  constructor(
    private readonly plan: BlockPlan,
    private readonly weights: GpuWeights,
  ) {
    this.sums = inputSources(plan).sums;
  }

  /** Takes room for the inputs of the activation. */
  roomForInputs(room: (count: number) => Place, rows: number): Inputs {
    const { dFf, form } = this.plan;
    const own = fusedForm(form).second === undefined ? undefined : room(rows * padded(dFf));
    return { own, sums: room(4 * this.sums * regionStep(rows, dFf)) };
  }

  /** Computes the hidden layer from x, and stores what the backward pass needs in `keep`. */
  hidden(call: Call, x: Matrix, rows: number, keep?: Inputs): Matrix {
    const { plan, weights } = this;
    const { dFf, dModel } = plan;
    const { storage } = call.gpu;
    const { square, first, channels } = weights;
    let [left, inner, rights] = [x, dModel, first];
    if (square) {
      left = { place: keep?.own ?? call.room(rows * padded(dFf)), columns: dFf };
      const places = { plus: weights.inBias as Place, results: [left.place] };
      const product = plain("outer", "inner", plainEpilogue(storage, 1, "bias"), call);
      multiply(call, product, { lefts: [x], rights: first, rows, columns: dFf, inner, places, words: {} });
      [inner, rights] = [dFf, [square]];
    }
    const hidden = { place: call.room(rows * padded(dFf)), columns: dFf };
    const product = {
      storage,
      lefts: "outer",
      rights: "inner",
      sums: rights.map((_, i) => [[0, i] as const]),
      epilogue: activationEpilogue(plan, storage),
    } as const;
    multiply(call, product, {
      lefts: [left],
      rights,
      rows,
      columns: dFf,
      inner,
      places: {
        channels,
        own: square ? left.place : undefined,
        hidden: hidden.place,
        kept: keep?.sums ?? call.room(4),
      },
      words: { region: keep ? regionStep(rows, dFf) : 0 },
    });
    return hidden;
  }

  /** Computes y from the hidden layer. */
  output(call: Call, hidden: Matrix, rows: number, y: Place): void {
    const { dFf, dModel } = this.plan;
    const { down, downBias } = this.weights;
    const product = plain("outer", "inner", plainEpilogue(call.gpu.storage, 1, "bias"), call);
    const places = { plus: downBias, results: [y] };
    multiply(call, product, {
      lefts: [hidden],
      rights: [down],
      rows,
      columns: dModel,
      inner: dFf,
      places,
      words: {},
    });
  }

  /**
   * Computes from dY and the activation's inputs: the hidden layer, then the gradient of each input in the activation's order,
   * then, if they are asked for, the terms of each parameter's gradient.
   */
  slopes(call: Call, dY: Matrix, rows: number, kept: Inputs, parameterGradients: boolean): Matrix[] {
    const { plan, weights } = this;
    const { activation, dFf, dModel, parameters } = plan;
    const step = regionStep(rows, dFf);
    const count = 1 + activation.inputs.length + (parameterGradients ? Object.keys(parameters).length : 0);
    const room = call.room(4 * count * step);
    const computed = parameterGradients ? "gradients" : "inputGradients";
    const epilogue = gradientEpilogue(plan, call.gpu.storage, computed);
    const product = plain("outer", "outer", epilogue, call);
    multiply(call, product, {
      lefts: [dY],
      rights: [weights.down],
      rows,
      columns: dFf,
      inner: dModel,
      places: { channels: weights.parameters, own: kept.own, kept: kept.sums, slopes: room },
      words: { region: step },
    });
    const bytes = bytesOf(call.gpu.storage);
    return Array.from({ length: count }, (_, i) => ({
      place: {
        buffer: room.buffer,
        offset: room.offset + 4 * bytes * step * i,
        size: wholeQuads(bytes * rows * padded(dFf)),
      },
      columns: dFf,
    }));
  }

  /** Computes the gradient of x from those of its products. */
  inputGradient(call: Call, flows: readonly Matrix[], rows: number, dX: Place): void {
    const { dModel, dFf } = this.plan;
    const product = {
      storage: call.gpu.storage,
      lefts: "outer",
      rights: "outer",
      sums: [flows.map((_, i) => [i, i] as const)],
      epilogue: plainEpilogue(call.gpu.storage, 1),
    } as const;
    const { first } = this.weights;
    multiply(call, product, {
      lefts: flows,
      rights: first,
      rows,
      columns: dModel,
      inner: dFf,
      places: { plus: undefined, results: [dX] },
      words: {},
    });
  }

  /** Self-gated blocks: the gradient of the first product, which is `own` plus what comes through the square product. */
  ownGradient(call: Call, own: Matrix, flow: Matrix, rows: number): Matrix {
    const { dFf } = this.plan;
    const total = { place: call.room(rows * padded(dFf)), columns: dFf };
    const product = plain("outer", "outer", plainEpilogue(call.gpu.storage, 1, "addend"), call);
    const square = this.weights.square as Matrix;
    const places = { plus: own.place, results: [total.place] };
    multiply(call, product, {
      lefts: [flow],
      rights: [square],
      rows,
      columns: dFf,
      inner: dFf,
      places,
      words: {},
    });
    return total;
  }

  /** The gradients of the weights that multiply `factor`, from the gradients of their products. */
  weightGradients(call: Call, factor: Matrix, flows: readonly Matrix[], rows: number): Matrix[] {
    const [first] = flows as [Matrix];
    const product = {
      storage: call.gpu.storage,
      lefts: "inner",
      rights: "inner",
      sums: flows.map((_, i) => [[0, i] as const]),
      epilogue: plainEpilogue(call.gpu.storage, flows.length),
    } as const;
    const { columns } = first;
    const gradients = flows.map(() => ({ place: call.room(factor.columns * padded(columns)), columns }));
    multiply(call, product, {
      lefts: [factor],
      rights: flows,
      rows: factor.columns,
      columns,
      inner: rows,
      places: { plus: undefined, results: gradients.map(({ place }) => place) },
      words: {},
    });
    return gradients;
  }
}

const plain = <B extends Bindings, W extends string>(
  lefts: Rows,
  rights: Rows,
  epilogue: Epilogue<B, W>,
  call: Call,
): Product<B, W> => ({
  storage: call.gpu.storage,
  lefts,
  rights,
  sums: [[[0, 0]]],
  epilogue,
});

/** The quads from one matrix to the next: a multiple of 32, since bindings begin at multiples of 256 bytes (32 quads of f16). */
const regionStep = (rows: number, columns: number): number => 32 * Math.ceil((rows * quadsOf(columns)) / 32);
