// Normalisations over the last axis: softmax, log-softmax, layer norm and RMS norm.

import { checkNumber } from "../graph/checks.js";
import { operands } from "../graph/operands.js";
import { apply, constant, type Tensor } from "../graph/tensor.js";
import { checkFloats } from "../graph/tensor-checks.js";
import { add, div, exp, mul, sqrt, sub } from "./arithmetic.js";
import { sum } from "./broadcast.js";
import { mean } from "./reduce.js";

/** `e^x / sum(e^x)` over the last axis, safe for large x. */
export function softmax(x: Tensor): Tensor {
  checkRow("softmax", x);
  return apply({
    op: "Softmax",
    inputs: [x],
    shape: x.shape,
    attributes: { axis: { int: -1 } },
    backward: (dy, y) => [mul(y, sub(dy, sum(mul(dy, y), -1, true)))],
  });
}

/** `log(softmax(x))` over the last axis without losing small probabilities. */
export function logSoftmax(x: Tensor): Tensor {
  checkRow("logSoftmax", x);
  return apply({
    op: "LogSoftmax",
    inputs: [x],
    shape: x.shape,
    attributes: { axis: { int: -1 } },
    backward: (dy, y) => [sub(dy, mul(exp(y), sum(dy, -1, true)))],
  });
}

/**
 * `(x - mean) / sqrt(variance + epsilon)` over the last axis: a layer norm without weight and bias. One node forward;
 * the gradient derives the deviation again from x.
 */
export function standardise(x: Tensor, epsilon = 1e-5): Tensor {
  checkRow("standardise", x);
  checkEpsilon("standardise", epsilon);
  const channels = x.shape.at(-1)!;
  const fill = (value: number): Tensor => constant(new Float32Array(channels).fill(value), x.dtype);
  const stored = Math.fround(epsilon); // attributes of ONNX are float32
  return apply({
    op: "LayerNormalization",
    inputs: [x, fill(1), fill(0)],
    shape: x.shape,
    attributes: { axis: { int: -1 }, epsilon: { float: stored } },
    backward: (dy, y) => {
      const centred = sub(x, mean(x, -1, true));
      const deviation = sqrt(add(mean(mul(centred, centred), -1, true), stored));
      const along = mul(y, mean(mul(dy, y), -1, true));
      return [div(sub(sub(dy, mean(dy, -1, true)), along), deviation)];
    },
  });
}

/** `standardise(x) * weight + bias`; weight and bias are [channels]. */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon = 1e-5): Tensor {
  checkChannels("layerNorm", x, weight);
  checkChannels("layerNorm", x, bias);
  return add(mul(standardise(x, epsilon), weight), bias);
}

/** `x / sqrt(mean(x^2) + epsilon) * weight` over the last axis; weight is [channels]. */
export function rmsNorm(x: Tensor, weight: Tensor, epsilon = 1e-5): Tensor {
  checkChannels("rmsNorm", x, weight);
  checkEpsilon("rmsNorm", epsilon);
  return mul(div(x, sqrt(add(mean(mul(x, x), -1, true), epsilon))), weight);
}

/** Throws unless there is a last axis, and its elements are floats. */
function checkRow(where: string, x: Tensor): void {
  checkFloats(where, { x });
  if (x.rank === 0) throw new RangeError(`${where}: x is a scalar; it needs an axis to work along`);
}

function checkEpsilon(where: string, epsilon: number): void {
  checkNumber(where, "epsilon", epsilon);
  if (epsilon < 0) throw new RangeError(`${where}: epsilon is ${epsilon}; it must not be negative`);
}

function checkChannels(where: string, x: Tensor, parameter: Tensor): void {
  checkRow(where, x);
  checkFloats(where, { "the parameter": parameter });
  operands(where, [x, parameter]);
  if (parameter.rank !== 1 || parameter.size !== x.shape.at(-1)) {
    throw new RangeError(
      `${where}: the parameter is [${parameter.shape}]; for x [${x.shape}] it must be [${x.shape.at(-1)}]`,
    );
  }
}
