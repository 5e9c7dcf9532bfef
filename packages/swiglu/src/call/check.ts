// The checks of an elementwise call, which all backends share.
// A backend gets an `ActivationPlan`, which is checked: views into its inputs, and all parameters.
import type { Activation } from "../catalogue/activation.js";
import { isParameterNumber, limitsOf, withoutLimits } from "../catalogue/limits.js";
import { listing, own, rejectUnknownKeys, shown } from "../errors.js";
import { packedViews, type View, wholeView } from "../layout.js";
import { resolveParameters } from "../scalar.js";
import { checkAttached, isFloat32Array, overlap, typedArrayName } from "./arrays.js";
import type { Data, PackedInput, ParameterValue } from "./data.js";

/** An input of an activation: the data that holds it, and where its elements are in that. */
interface InputView {
  readonly name: string;
  readonly data: Data;
  readonly view: View;
}

/** A checked elementwise call. */
export interface ActivationPlan {
  readonly activation: Activation;
  /** The number of elements of the result. */
  readonly count: number;
  /** In the order of the activation's inputs. */
  readonly inputs: readonly InputView[];
  readonly packed: boolean;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}

/** Checks the inputs and parameters of a call. Throws a TypeError or RangeError that names the argument and the fix. */
export function planActivation(
  activation: Activation,
  inputs: object,
  parameters: object = {},
): ActivationPlan {
  const packed = Object.hasOwn(inputs, "packed");
  const views = packed ? packedInputs(activation, inputs as PackedInput) : separateInputs(activation, inputs);
  const { count } = views;
  const checked = checkParameters(activation, parameters);
  for (const [name, value] of Object.entries(checked)) checkChannels(name, value, count, "the element count");
  return { count, inputs: views.inputs, packed, ...withoutLimits(activation, checked) };
}

function packedInputs(activation: Activation, input: PackedInput) {
  if (activation.kind !== "gated")
    throw new TypeError(`${activation.name} is unary and takes x; packed is for gated activations`);
  rejectUnknownKeys(input, ["packed", "shape", "axis", "layout"], "input", `a packed ${activation.name}`);
  if (input.shape === undefined) throw new TypeError("shape is missing: a packed input needs its shape");
  const data = checkData(input.packed, "packed");
  const { count, gate, up } = packedViews(input.shape, input);
  if (data.length !== 2 * count)
    throw new RangeError(
      `packed has ${data.length} elements, shape [${input.shape.join(", ")}] has ${2 * count}`,
    );
  return {
    count,
    inputs: [
      { name: "gate", data, view: gate },
      { name: "up", data, view: up },
    ],
  };
}

function separateInputs(activation: Activation, inputs: object) {
  rejectUnknownKeys(inputs, activation.inputs, "input", activation.name);
  const given = inputs as Readonly<Record<string, unknown>>;
  const views = activation.inputs.map((name) => {
    if (own(given, name) === undefined)
      throw new TypeError(`input ${name} is missing: ${activation.name} takes ${listing(activation.inputs)}`);
    const data = checkData(given[name], name);
    return { name, data, view: wholeView(data.length) };
  });
  const [first, second] = views as [InputView, InputView?];
  if (second !== undefined && second.data.length !== first.data.length)
    throw new RangeError(
      `${first.name} has ${first.data.length} elements, ${second.name} has ${second.data.length}: they must be equal`,
    );
  return { count: first.data.length, inputs: views };
}

/** Accepts a Float32Array of any realm, or a tensor. The backend itself checks whether a tensor is its own. */
export function checkData(data: unknown, name: string): Data {
  if (isFloat32Array(data)) {
    checkAttached(data, name);
    return data;
  }
  if (typeof data === "object" && data !== null && "read" in data && "shape" in data) return data as Data;
  throw new TypeError(
    `${name} is ${whatIs(data)}, expected a Float32Array or a tensor of this backend: convert with Float32Array.from`,
  );
}

/** Accepts only a Float32Array, of any realm: a tensor is made of one. */
export function checkArray(data: unknown, name: string): Float32Array {
  if (!isFloat32Array(data))
    throw new TypeError(
      `${name} is ${whatIs(data)}, expected a Float32Array: convert with Float32Array.from`,
    );
  checkAttached(data, name);
  return data;
}

/** What a value is, for a sentence that expected something else. */
function whatIs(data: unknown): string {
  if (data === null || typeof data !== "object") return String(data === null ? data : typeof data);
  if (Array.isArray(data)) return "an array";
  return typedArrayName(data) ?? data.constructor?.name ?? "an object";
}

/** Checks that an output or a gradient has the number of elements of the result. */
export function checkLength(data: Data, name: string, count: number): void {
  if (data.length !== count) throw new RangeError(`${name} has ${data.length} elements, expected ${count}`);
}

/** The output for a result of `count` elements: the caller's, which is checked, or a new array. */
export function resultOutput(count: number, out?: Data): Data {
  if (out === undefined) return new Float32Array(count);
  checkLength(checkData(out, "out"), "out", count);
  return out;
}

/** Checks that no two outputs have memory in common: the second would overwrite the first. */
export function checkDistinct(outputs: readonly GradientOutput[]): void {
  outputs.forEach(({ name, data }, i) => {
    const other = outputs.find((earlier, k) => k < i && overlap(earlier.data, data));
    if (other !== undefined)
      throw new TypeError(
        `out.${name} ${shares(data, other.data)} out.${other.name}, which it would overwrite: pass another array or tensor`,
      );
  });
}

/** The words for two arrays or tensors that overlap. */
const shares = (data: Data, other: Data): string => (data === other ? "is also" : "overlaps");

/** The gradient of an input: its name, and the array or tensor that it is written to. */
interface GradientOutput {
  readonly name: string;
  readonly data: Data;
}

/**
 * The outputs for the gradients of a call's inputs, in the plan's order. A packed input has one. Each is the caller's, or a new
 * array. Checks the caller's outputs, and `dy`.
 */
export function gradientOutputs(plan: ActivationPlan, dy: Data, out: object = {}): GradientOutput[] {
  checkLength(checkData(dy, "dy"), "dy", plan.count);
  const names = plan.packed ? ["packed"] : plan.inputs.map(({ name }) => name);
  rejectUnknownKeys(out, names, "gradient in out:", plan.activation.name);
  const count = plan.packed ? 2 * plan.count : plan.count;
  const channels = Object.values(plan.parameters).filter((value) => typeof value !== "number");
  const read: readonly Data[] = [dy, ...plan.inputs.map(({ data }) => data), ...channels];
  const outputs = names.map((name) => {
    const given = own(out as Readonly<Record<string, unknown>>, name);
    if (given === undefined) return { name, data: new Float32Array(count) };
    const data = checkData(given, `out.${name}`);
    checkLength(data, `out.${name}`, count);
    const input = read.find((input) => overlap(input, data));
    if (input !== undefined)
      throw new TypeError(
        `out.${name} ${shares(data, input)} an input of this call, which a second backward would need: pass another array or tensor`,
      );
    return { name, data };
  });
  checkDistinct(outputs);
  return outputs;
}

/** All parameters of the activation by name: those given, which are checked, and the defaults of the others. */
export function checkParameters(
  activation: Activation,
  given: object,
): Readonly<Record<string, ParameterValue>> {
  const values = resolveParameters<ParameterValue>(activation, given, (value, name) => {
    const perChannel = isFloat32Array(value);
    if (perChannel) checkAttached(value, `parameter ${name}`);
    const elements = perChannel ? value : [value];
    for (const element of elements)
      if (!isParameterNumber(activation, name, element))
        throw new TypeError(
          `parameter ${name} ${perChannel ? "contains" : "is"} ${shown(element)}, expected ${limitsOf(activation).has(name) ? "finite numbers, or Infinity for no limit" : "finite numbers"} (a number, or a Float32Array with one for each channel)`,
        );
    return value as ParameterValue;
  });
  return Object.fromEntries(Object.keys(activation.parameters).map((name, i) => [name, values[i] as number]));
}

/** Checks that a per-channel parameter has at least one value and divides the number of elements. */
export function checkChannels(name: string, value: ParameterValue, count: number, what: string): void {
  if (typeof value === "number") return;
  if (value.length === 0 || count % value.length !== 0)
    throw new RangeError(
      `parameter ${name} has ${value.length} channels, which does not divide ${what}, ${count}: pass a number or one value for each channel`,
    );
}
