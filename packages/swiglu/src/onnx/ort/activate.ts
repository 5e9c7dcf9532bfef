// Elementwise calls on ONNX Runtime: a call goes through its graph in stretches that fit in the processor's cache, since
// the runtime goes through memory once for every node.
import type { ActivationPlan } from "../../backend/check.js";
import type { ParameterValue } from "../../backend/data.js";
import { type Activation, activationToJson } from "../../catalogue/activation.js";
import type { View } from "../../layout.js";
import { repair } from "../../wasm/repair.js";
import type { OnnxMath } from "../options.js";
import { backwardModel, forwardModel } from "./activation-graph.js";
import { aside, settle } from "./memory.js";
import type { Program, Value } from "./runtime.js";
import type { Sessions } from "./sessions.js";

/** About this many elements go through a graph at once. */
const stretch = 2 ** 16;
/** Channels that are fewer are repeated, so that the runtime's inner loops are at least this long. */
const shortest = 1024;

/** What elementwise calls need of their backend. */
export interface Elementwise {
  readonly sessions: Sessions;
  readonly math: OnnxMath;
}

/** The arrays of a checked call, in the order of the plan. */
export interface Arrays {
  readonly inputs: readonly Float32Array[];
  readonly out: readonly Float32Array[];
}

/** Writes the activation's value to the one array in `out`. */
export async function forward(of: Elementwise, plan: ActivationPlan, { inputs, out }: Arrays): Promise<void> {
  if (plan.count === 0) return;
  const call = new Call(plan, inputs);
  const program = await of.sessions.program(`forward ${call.key} ${keyOf(plan.activation)}`, () =>
    forwardModel(plan.activation, { ...call, math: of.math }),
  );
  const computed = aside(out, inputs);
  for (const piece of call.pieces())
    await program.run(piece.inputs, { y: piece.elements(computed[0] as Float32Array) });
  settle(out, computed);
}

/**
 * Writes the gradients of the inputs to `out`, one array for a packed input; returns those of the parameters by name, or
 * none if they are not asked for.
 */
export async function backward(
  of: Elementwise,
  plan: ActivationPlan,
  dy: Float32Array,
  { inputs, out }: Arrays,
  parameterGradients: boolean,
): Promise<Record<string, ParameterValue>> {
  const { activation, count } = plan;
  const names = parameterGradients ? Object.keys(plan.parameters) : [];
  const totals = names.map((name) => new Float64Array(lengthOf(plan.parameters[name] as ParameterValue)));
  if (count > 0) {
    const call = new Call(plan, inputs);
    const program = await of.sessions.program(
      `backward ${parameterGradients} ${call.key} ${keyOf(activation)}`,
      () => backwardModel(activation, { ...call, math: of.math }, parameterGradients),
    );
    const gradients = aside(out, [...inputs, dy]);
    await runBackward(program, call, dy, gradients, names, totals);
    if ([...gradients, ...totals].some(hasOverflowed)) {
      const targets = plan.inputs.map((_, i) => gradients[plan.packed ? 0 : i] as Float32Array);
      repair(plan, { inputs, gradients: targets, dy }, totals);
    }
    settle(out, gradients);
  }
  return Object.fromEntries(
    names.map((name, i) => {
      const total = totals[i] as Float64Array;
      return [
        name,
        typeof plan.parameters[name] === "number" ? (total[0] as number) : Float32Array.from(total),
      ];
    }),
  );
}

async function runBackward(
  program: Program,
  call: Call,
  dy: Float32Array,
  gradients: readonly Float32Array[],
  names: readonly string[],
  totals: readonly Float64Array[],
): Promise<void> {
  for (const piece of call.pieces()) {
    const sums = names.map(() => piece.sum());
    await program.run(
      { ...piece.inputs, dy: piece.elements(dy) },
      {
        ...piece.gradients(gradients),
        ...Object.fromEntries(names.map((name, i) => [`gradient_${name}`, sums[i] as Value])),
      },
    );
    sums.forEach(({ data }, k) => {
      const total = totals[k] as Float64Array;
      for (let i = 0; i < data.length; i++) total[i % total.length]! += data[i] as number;
    });
  }
}

/** A part of a call that goes through the graph at once. */
interface Piece {
  readonly inputs: Readonly<Record<string, Value>>;
  /** Its elements of an array in the unpacked shape. */
  elements(array: Float32Array): Value;
  gradients(arrays: readonly Float32Array[]): Record<string, Value>;
  /** Room for a parameter's gradient: one sum, or one for each channel. */
  sum(): Value & { readonly data: Float64Array };
}

/** A call as its graph sees it: elements as [count] or [rows, channels], packed data as [outer, 2, run]. */
class Call {
  /** Whether the graph has to take gate and up apart: two whole halves are two arrays already. */
  readonly packed: boolean;
  readonly gateSlot: number;
  readonly perChannel: boolean;
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

  /** What tells its graph from others of the same activation. */
  get key(): string {
    return `${this.packed ? this.gateSlot : "separate"} ${this.perChannel}`;
  }

  *pieces(): Generator<Piece> {
    const { width } = this;
    const { count } = this.plan;
    const most = width * Math.max(1, Math.floor(stretch / width));
    for (let start = 0; start < count; ) {
      const left = count - start;
      const length = left < width ? left : Math.min(most, left - (left % width));
      yield this.piece(start, start + length);
      start += length;
    }
  }

  private piece(start: number, end: number): Piece {
    const { run, perChannel, plan } = this;
    const channels = Math.min(this.width, end - start);
    const dims = perChannel ? [(end - start) / channels, channels] : [end - start];
    const elements = (array: Float32Array, offset = 0): Value => ({
      data: array.subarray(offset + start, offset + end),
      dims,
    });
    const whole = (array: Float32Array): Value => ({
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
    const shape: Value = {
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
    if (typeof value === "number") return Float32Array.of(value);
    return Float32Array.from({ length: this.width }, (_, i) => value[i % value.length] as number);
  }
}

const lengthOf = (value: ParameterValue): number => (typeof value === "number" ? 1 : value.length);

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);
const leastCommonMultiple = (a: number, b: number): number => (a / greatestCommonDivisor(a, b)) * b;

const keys = new WeakMap<Activation, string>();

/** Activations with the same definition share their graphs. */
function keyOf(activation: Activation): string {
  const known = keys.get(activation) ?? JSON.stringify(activationToJson(activation));
  keys.set(activation, known);
  return known;
}

/** Whether a number is infinite or NaN: times 0, only those are not 0. Four sums, so that additions overlap. */
function hasOverflowed(numbers: Float32Array | Float64Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const { length } = numbers;
  for (let i = 0; i < length % 4; i++) a += 0 * (numbers[i] as number);
  for (let i = length % 4; i < length; i += 4) {
    a += 0 * (numbers[i] as number);
    b += 0 * (numbers[i + 1] as number);
    c += 0 * (numbers[i + 2] as number);
    d += 0 * (numbers[i + 3] as number);
  }
  return Number.isNaN(a + b + c + d);
}
