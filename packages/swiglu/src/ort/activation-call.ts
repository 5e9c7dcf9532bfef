// An elementwise call, cut into the pieces that its graph computes one after the other. The runtime goes through memory once for
// every node, so a piece is small enough for the processor's cache. The runtime's inner loop is one row, so short rows of channels
// are repeated until a row has at least 1024 elements.
//
//     parameters are numbers:        [ piece | piece | piece |last]                    each about 2^16 elements
//     a parameter has 3 channels:    row = c0 c1 c2 c0 c1 c2 ... (342 times)           pieces are whole rows; what
//                                    [ row row row ... | row row row ... | rest ]      remains is one shorter row
//     gate and up packed:            [ gate run | up run | gate run | up run ]         pieces are whole pairs of runs
import { leastCommonMultiple, lengthOf, repeated } from "../call/channels.js";
import type { ActivationPlan } from "../call/check.js";
import type { ParameterValue } from "../call/data.js";
import type { View } from "../layout.js";
import type { OnnxMath } from "../onnx/expression/options.js";
import type { ShapedArray } from "../onnx/runtime/session.js";
import type { ActivationCase } from "./graph/activation-graph.js";

/** About this many elements go through a graph at once. */
const pieceElements = 2 ** 16;
/** The least number of elements of a row; fewer channels are repeated. */
const shortestRow = 1024;

/** A part of a call that goes through the graph at once. */
export interface Piece {
  readonly inputs: Readonly<Record<string, ShapedArray>>;
  /** This piece's elements of an array that has the unpacked shape. */
  elements(array: Float32Array): ShapedArray;
  gradients(arrays: readonly Float32Array[]): Record<string, ShapedArray>;
  /** Room for a parameter's gradient: one sum, or one for each channel. */
  sum(): ShapedArray & { readonly data: Float64Array };
}

/** A call in the shapes of its graph: elements as [count] or [rows, channels], packed data as [outer, 2, run]. */
export class Call {
  /** Whether the graph separates gate and up. Where they are two whole halves, they are two arrays already. */
  private readonly packed: boolean;
  private readonly gateSlot: number;
  private readonly perChannel: boolean;
  /** The elements of a row where a parameter is per channel; otherwise the size of every piece is a multiple of this. */
  private readonly width: number;
  private readonly run: number;
  private readonly parameters: Readonly<Record<string, Float32Array>>;

  constructor(
    private readonly plan: ActivationPlan,
    private readonly arrays: readonly Float32Array[],
  ) {
    const { run, offset } = (plan.inputs[0] as { readonly view: View }).view;
    const values = Object.entries(plan.parameters);
    this.run = run;
    this.packed = plan.packed && run < plan.count;
    this.gateSlot = this.packed && offset > 0 ? 1 : 0;
    this.perChannel = values.some(([, value]) => typeof value !== "number");
    const lengths = values.map(([, value]) => lengthOf(value));
    const unit = lengths.reduce(leastCommonMultiple, this.packed ? run : 1);
    this.width = this.perChannel ? unit * Math.ceil(shortestRow / unit) : unit;
    this.parameters = Object.fromEntries(
      values.map(([name, value]) => [`parameter_${name}`, this.parameter(value)]),
    );
  }

  /** The graph that it needs. */
  graph(math: OnnxMath): ActivationCase {
    const { packed, gateSlot, perChannel } = this;
    return { packed, gateSlot, perChannel, math };
  }

  /** A text that differs between the graphs of one activation. */
  get key(): string {
    return `${this.packed ? this.gateSlot : "separate"} ${this.perChannel}`;
  }

  *pieces(): Generator<Piece> {
    const { width } = this;
    const { count } = this.plan;
    const most = width * Math.max(1, Math.floor(pieceElements / width));
    for (let start = 0; start < count; ) {
      const remaining = count - start;
      const length = remaining < width ? remaining : Math.min(most, remaining - (remaining % width));
      yield this.piece(start, start + length);
      start += length;
    }
  }

  private piece(start: number, end: number): Piece {
    const { run, perChannel, plan } = this;
    const channels = Math.min(this.width, end - start);
    const dims = perChannel ? [(end - start) / channels, channels] : [end - start];
    const elements = (array: Float32Array, offset = 0): ShapedArray => ({
      data: array.subarray(offset + start, offset + end),
      dims,
    });
    const whole = (array: Float32Array): ShapedArray => ({
      data: array.subarray(2 * start, 2 * end),
      dims: [(end - start) / run, 2, run],
    });
    /** Each input of the activation; the halves of a packed array begin at their offsets. */
    const separate = (arrays: readonly Float32Array[], prefix: string) =>
      Object.fromEntries(
        plan.inputs.map(({ name, view }, i) => [
          prefix + name,
          elements(arrays[plan.packed ? 0 : i] as Float32Array, view.offset),
        ]),
      );
    const shape: ShapedArray = {
      data: perChannel ? BigInt64Array.of(-1n, BigInt(channels)) : BigInt64Array.of(-1n),
      dims: [perChannel ? 2 : 1],
    };
    const inputs = this.packed
      ? { packed: whole(this.arrays[0] as Float32Array), shape }
      : separate(this.arrays, "");
    const parameters = Object.entries(this.parameters).map(([name, values]) => {
      const data = values.subarray(0, channels);
      return [name, { data, dims: perChannel ? [data.length] : [] }] as const;
    });
    return {
      inputs: { ...inputs, ...Object.fromEntries(parameters) },
      elements: (array) => elements(array),
      gradients: (arrays) =>
        this.packed ? { gradient_packed: whole(arrays[0] as Float32Array) } : separate(arrays, "gradient_"),
      sum: () =>
        perChannel
          ? { data: new Float64Array(channels), dims: [channels] }
          : { data: new Float64Array(1), dims: [] },
    };
  }

  private parameter(value: ParameterValue): Float32Array {
    return typeof value === "number" ? Float32Array.of(value) : repeated(value, this.width);
  }
}
