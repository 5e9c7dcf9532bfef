// What results are held to: exact values and gradients of an activation in float64, and how far a kernel may be off. A
// process works each out once: many backends, files and modes are asked about the same points.

import { withoutLimits } from "../../src/catalogue/limits.js";
import { compile, type Tape } from "../../src/expression/tape.js";
import {
  type Activation,
  expressions as e,
  errorBound,
  gradientExpressions,
  type ParameterValue,
} from "../../src/index.js";

/** Exact results and, for each, the design's error bound. */
export interface Exact {
  readonly values: Float64Array;
  readonly bounds: Float64Array;
}
type Bound = (values: ArrayLike<number>) => number;
type Parameters = Readonly<Record<string, ParameterValue>>;

/** An activation's expressions, ready to be evaluated: variables are its inputs, then its parameters, then dy. */
interface Oracle {
  readonly value: Tape;
  readonly slopes: Tape;
  readonly bound: Bound;
  readonly slopeBounds: Readonly<Record<string, Bound>>;
}

/** The inputs, then the parameters. */
const variablesOf = (activation: Activation): string[] => [
  ...activation.inputs,
  ...Object.keys(activation.parameters),
];

/** The activation's value in float64 as a function of its inputs, then its parameters. */
export const exactValueOf =
  (activation: Activation) =>
  (point: ArrayLike<number>): number =>
    oracleOf(activation).value.run(point)[0] as number;

const oracleOf = oncePerActivation((activation: Activation): Oracle => {
  const variables = variablesOf(activation);
  const slopes = gradientExpressions(activation) as Readonly<Record<string, ReturnType<typeof e.num>>>;
  const boundOf = (name: string): Bound =>
    unreached(errorBound(e.mul("dy", slopes[name] as ReturnType<typeof e.num>), [...variables, "dy"]));
  return {
    value: compile([activation.expression], variables),
    slopes: compile(
      variables.map((name) => slopes[name] as ReturnType<typeof e.num>),
      variables,
    ),
    bound: unreached(errorBound(activation.expression, variables)),
    slopeBounds: Object.fromEntries(variables.map((name) => [name, boundOf(name)])),
  };
});

/** A bound to which a limit of Infinity is one that nothing reaches, since sensitivities to infinities mean nothing. */
function unreached(bound: (values: readonly number[]) => number): Bound {
  return (values) =>
    bound(Array.from(values, (value) => (Math.abs(value) === Infinity ? Math.sign(value) * 1e300 : value)));
}

/** A parameter's value for the i-th element. */
export const at = (value: ParameterValue, i: number): number =>
  typeof value === "number" ? value : (value[i % value.length] as number);

/** The points one after the other, in one array that holds until the next: inputs, parameters, and dy if there is one. */
function* pointsOf(
  inputs: readonly Float32Array[],
  parameters: Parameters,
  dy?: Float32Array,
): Generator<Float64Array> {
  const values = Object.values(parameters);
  const point = new Float64Array(inputs.length + values.length + (dy === undefined ? 0 : 1));
  for (let i = 0; i < (inputs[0] as Float32Array).length; i++) {
    let next = 0;
    for (const data of inputs) point[next++] = data[i] as number;
    for (const value of values) point[next++] = Math.fround(at(value, i));
    if (dy !== undefined) point[next] = dy[i] as number;
    yield point;
  }
}

/** The activation's values, element by element. `parameters` are complete and in the activation's order. */
export const exactValues = onceForEach(
  (given: Activation, inputs: readonly Float32Array[], limited: Parameters): Exact => {
    const { activation, parameters } = withoutLimits<ParameterValue>(given, limited);
    const { value, bound } = oracleOf(activation);
    const count = (inputs[0] as Float32Array).length;
    const [values, bounds] = [new Float64Array(count), new Float64Array(count)];
    let i = 0;
    for (const point of pointsOf(inputs, parameters)) {
      const exact = value.run(point)[0] as number;
      values[i] = exact;
      // At infinities, where sensitivities mean nothing, what is finite is held to a relative bound.
      bounds[i++] = point.subarray(0, inputs.length).every(Number.isFinite)
        ? bound(point)
        : 4 * (2 ** -23 * Math.abs(exact) + 2 ** -126);
    }
    return { values, bounds };
  },
);

/** The gradients of sum(dy * y) in the variables named: element by element in an input, summed in a parameter or for each channel. */
export const exactGradients = onceForEach(
  (
    given: Activation,
    inputs: readonly Float32Array[],
    limited: Parameters,
    dy: Float32Array,
    names: readonly string[],
  ): Readonly<Record<string, Exact>> => {
    const { activation, parameters } = withoutLimits<ParameterValue>(given, limited);
    const { slopes, slopeBounds } = oracleOf(activation);
    const sums = names.map((name) => {
      const value = parameters[name];
      const channels = value === undefined ? dy.length : typeof value === "number" ? 1 : value.length;
      const exact: Exact = { values: new Float64Array(channels), bounds: new Float64Array(channels) };
      const bound = slopeBounds[name] as Bound;
      return { name, channels, exact, bound, index: variablesOf(activation).indexOf(name) };
    });
    let i = 0;
    for (const point of pointsOf(inputs, parameters, dy)) {
      const there = slopes.run(point);
      for (const { channels, exact, bound, index } of sums) {
        exact.values[i % channels]! += (dy[i] as number) * (there[index] as number);
        exact.bounds[i % channels]! += bound(point);
      }
      i++;
    }
    return Object.fromEntries(sums.map(({ name, exact }) => [name, exact]));
  },
);

function oncePerActivation<T>(make: (activation: Activation) => T): (activation: Activation) => T {
  const made = new WeakMap<Activation, T>();
  return (activation) => {
    const known = made.get(activation) ?? make(activation);
    made.set(activation, known);
    return known;
  };
}

/** The same call with the same contents of arrays gives what it gave before. */
export function onceForEach<A extends unknown[], T>(
  make: (activation: Activation, ...rest: A) => T,
): (activation: Activation, ...rest: A) => T {
  const madeOf = oncePerActivation(() => new Map<string, T>());
  return (activation, ...rest) => {
    const made = madeOf(activation);
    const key = JSON.stringify(rest, (_, value) => (value instanceof Float32Array ? bitsOf(value) : value));
    const known = made.get(key) ?? make(activation, ...rest);
    made.set(key, known);
    return known;
  };
}

/** Every bit of an array, as text. */
function bitsOf({ buffer, byteOffset, length }: Float32Array): string {
  const halves = new Uint16Array(buffer, byteOffset, 2 * length);
  let text = "";
  for (let i = 0; i < halves.length; i += 4096) text += String.fromCharCode(...halves.subarray(i, i + 4096));
  return text;
}
