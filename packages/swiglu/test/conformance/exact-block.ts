// What a feed-forward block is held to: its output by plain loops in float64, and central differences of these loops.

import { withoutLimits } from "../../src/catalogue/limits.js";
import { type Activation, asGated, type PackedLayout, type ParameterValue } from "../../src/index.js";
import { at, exactValueOf, onceForEach } from "./exact.js";

type Numbers = Float32Array | Float64Array;
/** A block's weights by name. */
export type Weights = Record<string, Numbers>;

/** One block to check. */
export interface Block {
  readonly activation: Activation;
  readonly gated: boolean;
  readonly rows: number;
  readonly dModel: number;
  readonly dFf: number;
  readonly weights: Weights;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly layout?: PackedLayout;
}

/** `a b + bias`, plainly. */
function linear(a: Numbers, b: Numbers, bias: Numbers | undefined, rows: number): Float64Array {
  const inner = a.length / rows;
  const columns = b.length / inner;
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = bias ? (bias[column] as number) : 0;
    for (let k = 0; k < inner; k++)
      sum += (a[row * inner + k] as number) * (b[k * columns + column] as number);
    return sum;
  });
}

type Forward = (x: Numbers, weights: Weights, parameters: Block["parameters"]) => Float64Array;

/** The block's output by its formula, in float64, as a function of all that it can be differentiated in. */
function forwardOf({ activation: given, gated, rows, dFf, layout }: Block): Forward {
  const limited = gated ? asGated(given) : given;
  const hiddenInputs = (x: Numbers, weights: Weights): readonly Numbers[] => {
    const project = (from: Numbers, name: string) => projection(from, name, weights, rows);
    if (!gated) return [project(x, "up")];
    if (layout !== undefined) return halves(project(x, "packed"), dFf, layout);
    if (!("in" in weights)) return [project(x, "gate"), project(x, "up")];
    const own = project(x, "in");
    const other = project(own, "square");
    return limited.self === "gate" ? [own, other] : [other, own];
  };
  return (x, weights, parameters) => {
    const inputs = hiddenInputs(x, weights);
    const complete = { ...limited.parameters, ...parameters };
    const free = withoutLimits<ParameterValue>(limited, complete);
    const value = exactValueOf(free.activation);
    const values = Object.values(free.parameters);
    const point = new Float64Array(inputs.length + values.length);
    const hidden = Float64Array.from({ length: rows * dFf }, (_, i) => {
      inputs.forEach((data, k) => {
        point[k] = data[i] as number;
      });
      values.forEach((parameter, k) => {
        point[inputs.length + k] = at(parameter, i);
      });
      return value(point);
    });
    return projection(hidden, "down", weights, rows);
  };
}

const projection = (from: Numbers, name: string, weights: Weights, rows: number): Float64Array =>
  linear(from, weights[name] as Numbers, weights[`${name}Bias`], rows);

/** Gate and up of rows of 2 dFf columns. */
function halves(packed: Numbers, dFf: number, layout: PackedLayout): readonly Numbers[] {
  const half = (part: 0 | 1): Numbers => {
    const slot = layout === "gate-second" ? 1 - part : part;
    return Float64Array.from({ length: packed.length / 2 }, (_, i) => {
      const [row, column] = [Math.floor(i / dFf), i % dFf];
      const place = layout === "interleaved" ? 2 * column + slot : slot * dFf + column;
      return packed[row * 2 * dFf + place] as number;
    });
  };
  return [half(0), half(1)];
}

/** The block's output. */
export const exactForward = (block: Block, x: Float32Array): Float64Array =>
  forwardOf(block)(x, block.weights, block.parameters);

/** The gradients of sum(dY * y) in x, in each weight and in each parameter, by central differences. */
export const exactBlockGradients = (
  { activation, ...block }: Block,
  x: Float32Array,
  dY: Float32Array,
): Readonly<Record<string, Float64Array>> => differences(activation, block, x, dY);

const differences = onceForEach(
  (activation: Activation, rest: Omit<Block, "activation">, x: Float32Array, dY: Float32Array) => {
    const { weights, parameters } = rest;
    const forward = forwardOf({ ...rest, activation });
    const step = 1e-5;
    const slopesIn = (array: Numbers, y: (changed: Float64Array) => Float64Array): Float64Array => {
      const changed = Float64Array.from(array);
      const loss = () => y(changed).reduce((sum, value, k) => sum + value * (dY[k] as number), 0);
      return changed.map((value, i) => {
        changed[i] = value + step;
        const above = loss();
        changed[i] = value - step;
        const below = loss();
        changed[i] = value;
        return (above - below) / (2 * step);
      });
    };
    const gradients: Record<string, Float64Array> = {
      x: slopesIn(x, (changed) => forward(changed, weights, parameters)),
    };
    for (const [name, weight] of Object.entries(weights))
      gradients[name] = slopesIn(weight, (changed) =>
        forward(x, { ...weights, [name]: changed }, parameters),
      );
    for (const [name, value] of Object.entries(parameters))
      gradients[name] = slopesIn(typeof value === "number" ? Float64Array.of(value) : value, (changed) =>
        forward(x, weights, { ...parameters, [name]: channelValues(changed) }),
      );
    return gradients;
  },
);

/** A float64 array where the formulas expect per-channel values; plain loops only read it. */
function channelValues(values: Float64Array): ParameterValue {
  return values.length === 1 ? (values[0] as number) : (values as Float64Array & Float32Array);
}
