// Parameters and weights of a graph. Each is a number in the nodes, or data in the model, or a tensor that comes with every run.
import { isFloat32Array } from "../../call/arrays.js";
import { repeated } from "../../call/channels.js";
import { checkParameters } from "../../call/check.js";
import type { Data, Tensor } from "../../call/data.js";
import type { Activation } from "../../catalogue/activation.js";
import { own } from "../../errors.js";
import { sizeOf } from "../../layout.js";
import type { Dimension } from "../model/model.js";
import type { Graph, GraphTensor, GraphWeight } from "./graph.js";

/** A tensor of this shape that comes with every run of the graph; `[]` is a scalar. */
export interface GraphInput {
  readonly input: readonly number[];
}

/** A parameter in a graph: a fixed number, an array with one value per channel kept in the graph, or a graph input. */
export type GraphParameter = number | Float32Array | GraphInput;

export function isInput(value: unknown): value is GraphInput {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "input");
}

/** A tensor without data. It lets the core check the sizes of a weight that comes with every run. */
export function standIn({ input }: GraphInput, name: string): Tensor {
  const missing = (): never => {
    throw new TypeError(`${name} is an input of the graph and has no data`);
  };
  return { shape: input, length: sizeOf(input, name), read: missing, dispose: () => {} };
}

/** Checks that data is in an array, as it must be to go into a file. */
export function checkArray(data: Data, name: string): Float32Array {
  if (isFloat32Array(data)) return data;
  throw new TypeError(`${name} is a tensor of a backend: pass its data, await tensor.read()`);
}

/**
 * The activation's parameters, checked, for results of the given shape. Throws a TypeError or RangeError that names the
 * parameter.
 */
export function graphParameters(
  activation: Activation,
  given: Readonly<Record<string, GraphParameter>>,
  shape: readonly Dimension[],
): Pick<Graph, "numbers" | "weights" | "inputs"> {
  const fixed = Object.entries(given).map(([name, value]) => [name, isInput(value) ? undefined : value]);
  const values = checkParameters(activation, Object.fromEntries(fixed));
  const numbers: Record<string, number> = {};
  const weights: GraphWeight[] = [];
  const inputs: GraphTensor[] = [];
  for (const [name, value] of Object.entries(values)) {
    const asked = own(given, name);
    if (isInput(asked)) inputs.push({ name, shape: checkBroadcast(name, asked.input, shape) });
    else if (typeof value === "number") numbers[name] = value;
    else weights.push({ name, ...perChannel(name, value, shape) });
  }
  return { numbers, weights, inputs };
}

/** Values by channel (element index mod their number) as a tensor that broadcasts to the shape. */
function perChannel(name: string, values: Float32Array, shape: readonly Dimension[]) {
  const last = shape.at(-1) ?? 1;
  if (values.length === 1 || values.length === last || typeof last === "string")
    return { shape: [values.length], data: values };
  if (values.length > 0 && last % values.length === 0) return { shape: [last], data: repeated(values, last) };
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const trailing = shape.slice(axis);
    if (!trailing.every((size) => typeof size === "number")) break;
    if (sizeOf(trailing) === values.length) return { shape: trailing, data: values };
  }
  throw new RangeError(
    `parameter ${name} has ${values.length} channels, but results have shape [${shape.join(", ")}]: pass a number, or a count that divides the last axis`,
  );
}

/** Checks that a parameter of this shape broadcasts to the results without enlarging them. */
function checkBroadcast(
  name: string,
  own: readonly number[],
  shape: readonly Dimension[],
): readonly number[] {
  sizeOf(own, `parameter ${name}: input`);
  const fits = own.every((size, i) => {
    const there = shape[shape.length - own.length + i];
    return size === 1 ? there !== undefined : size === there || typeof there === "string";
  });
  if (fits) return own;
  throw new RangeError(
    `parameter ${name} is an input of shape [${own.join(", ")}], which does not broadcast to results of shape [${shape.join(", ")}]: use [] for a scalar or [channels]`,
  );
}
