// The reference's elementwise loops, in float64: the value and the gradients of an activation over whole arrays.
import type { ParameterValue } from "../call/data.js";
import { gradientsByName, zeroSums } from "../call/sums.js";
import { type Activation, gradientExpressions } from "../catalogue/activation.js";
import { compile } from "../expression/tape.js";
import { type View, viewIndex } from "../layout.js";
import { variableNames } from "../scalar.js";

/** Numbers in memory, of either precision. */
export type Numbers = Float32Array | Float64Array;

/** An input of an activation, or its gradient: an array, and where the elements are in it. */
export interface StridedNumbers {
  readonly data: Numbers;
  readonly view: View;
}

type ParameterValues = Readonly<Record<string, ParameterValue>>;

/** Calls `visit` for every element with the values of all variables, inputs first. The array `values` is always the same. */
function forEachElement(
  count: number,
  inputs: readonly StridedNumbers[],
  parameters: readonly ParameterValue[],
  visit: (i: number, values: Float64Array) => void,
): void {
  const values = new Float64Array(inputs.length + parameters.length);
  for (let i = 0; i < count; i++) {
    let slot = 0;
    for (const { data, view } of inputs) values[slot++] = data[viewIndex(view, i)] as number;
    for (const value of parameters)
      values[slot++] = typeof value === "number" ? value : (value[i % value.length] as number);
    visit(i, values);
  }
}

/** Writes the activation's value for each element to `out`, which may be the data of an input. */
export function activateInto(
  out: Numbers,
  activation: Activation,
  inputs: readonly StridedNumbers[],
  parameters: ParameterValues,
): void {
  const tape = compile([activation.expression], variableNames(activation));
  forEachElement(out.length, inputs, Object.values(parameters), (i, values) => {
    out[i] = tape.run(values)[0] as number;
  });
}

/** Writes `dy` times the slope in each input to `gradients`, and returns the parameters' gradients by name. */
export function differentiateInto(
  gradients: readonly StridedNumbers[],
  activation: Activation,
  inputs: readonly StridedNumbers[],
  parameters: ParameterValues,
  dy: Numbers,
): Record<string, ParameterValue> {
  const tape = compile(Object.values(gradientExpressions(activation)), variableNames(activation));
  const given = Object.values(parameters);
  const sums = given.map(zeroSums);
  forEachElement(dy.length, inputs, given, (i, values) => {
    const slopes = tape.run(values);
    const weight = dy[i] as number;
    gradients.forEach(({ data, view }, k) => {
      data[viewIndex(view, i)] = weight * (slopes[k] as number);
    });
    sums.forEach((sum, k) => {
      sum[i % sum.length]! += weight * (slopes[gradients.length + k] as number);
    });
  });
  return gradientsByName(parameters, sums);
}
