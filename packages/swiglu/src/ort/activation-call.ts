// An elementwise call as its graph sees it: in stretches that fit in the processor's cache, since the runtime goes through
// memory once for every node, and with channels repeated, since its inner loop is one row of them.
import { leastCommonMultiple, lengthOf, repeated } from "../call/channels.js";
import type { ActivationPlan } from "../call/check.js";
import type { ParameterValue } from "../call/data.js";
import type { View } from "../layout.js";
import type { OnnxMath } from "../onnx/expression/options.js";
import type { ShapedArray } from "../onnx/runtime/session.js";
import type { ActivationCase } from "./graph/activation-graph.js";

/** About this many elements go through a graph at once. */
const stretch = 2 ** 16;
/** Channels that are fewer are repeated, so that rows are at least this long. */
const shortest = 1024;

/** A part of a call that goes through the graph at once. */
export interface Piece {
  readonly inputs: Readonly<Record<string, ShapedArray>>;
  /** Its elements of an array in the unpacked shape. */
  elements(array: Float32Array): ShapedArray;
  gradients(arrays: readonly Float32Array[]): Record<string, ShapedArray>;
  /** Room for a parameter's gradient: one sum, or one for each channel. */
  sum(): ShapedArray & { readonly data: Float64Array };
}

/** A call as its graph sees it: elements as [count] or [rows, channels], packed data as [outer, 2, run]. */
export class Call {
  /** Whether the graph has to take gate and up apart: two whole halves are two arrays already. */
  private readonly packed: boolean;
  private readonly gateSlot: number;
  private readonly perChannel: boolean;
  /** Elements of a row, with channels; otherwise all pieces are multiples of it. */
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
    this.width = this.perChannel ? unit * Math.ceil(shortest / unit) : unit;
    this.parameters = Object.fromEntries(
      values.map(([name, value]) => [`parameter_${name}`, this.parameter(value)]),
    );
  }

  /** The graph that it needs. */
  graph(math: OnnxMath): ActivationCase {
    const { packed, gateSlot, perChannel } = this;
    return { packed, gateSlot, perChannel, math };
  }

  /** What tells its graph from others of the same activation. */
  get key(): string {
    return `${this.packed ? this.gateSlot : "separate"} ${this.perChannel}`;
  }

  *pieces(): Generator<Piece> {
    const { width } = this;
    const { count } = this.plan;
    const most = width * Math.max(1, Math.floor(stretch / width));
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
    /** Each input of the activation in its array; halves of a packed one begin at their offset. */
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
