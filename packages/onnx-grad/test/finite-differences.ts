// Central finite differences of a graph in float64: the yardstick for every gradient.
import { add, compile, constant, gradient, input, mul, type Shape, sum, type Tensor } from "onnx-grad";
import * as ort from "onnxruntime-node";
import { expect } from "vitest";

/** Where the elements of an input come from; the same numbers on every run. */
export type Fill = (random: () => number, input: number) => number;
const anywhere: Fill = (random) => 4 * random() - 2;
export const positive: Fill = (random) => 0.5 + 2 * random();

/** A small generator of repeatable numbers in [0, 1). */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export interface Check {
  readonly shapes: readonly Shape[];
  readonly fill?: Fill;
  readonly build: (...inputs: Tensor[]) => Tensor;
  /** Differentiate the gradient once more and check that. */
  readonly secondOrder?: boolean;
}

/**
 * Compares the gradient of a weighted sum of `build(...)` with central differences of it, element by element:
 * |gradient - difference| <= tolerance * (1 + |difference|).
 */
export async function checkGradient(
  { shapes, fill = anywhere, build, secondOrder = false }: Check,
  tolerance = 1e-7,
) {
  const random = numbers(shapes.flat().reduce((a, b) => 31 * a + b, 7));
  const inputs = shapes.map((shape, i) => input(`x${i}`, shape, "float64"));
  let scalar = weightedSum(build(...inputs), random);
  if (secondOrder) {
    scalar = gradient(scalar, inputs)
      .map((g) => weightedSum(g, random))
      .reduce((a, b) => add(a, b));
  }
  const gradients = gradient(scalar, inputs);
  const named = Object.fromEntries(gradients.map((g, i) => [`d${i}`, g]));
  const program = await compile(ort, { y: scalar, ...named });
  const taken = new Set(program.model.inputs.map(({ name }) => name));
  const values = shapes.map((shape, i) =>
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => fill(random, i)),
  );
  const feeds = (): Record<string, Float64Array> =>
    Object.fromEntries(values.flatMap((v, i) => (taken.has(`x${i}`) ? [[`x${i}`, v]] : [])));
  const exact = await program.run(feeds());
  const value = async (): Promise<number> => Number((await program.run(feeds())).y![0]);
  for (const [i, array] of values.entries()) {
    for (let k = 0; k < array.length; k++) {
      const at = array[k]!;
      const h = 1e-5 * Math.max(1, Math.abs(at));
      array[k] = at + h;
      const above = await value();
      array[k] = at - h;
      const below = await value();
      array[k] = at;
      const difference = (above - below) / (2 * h);
      const error = Math.abs(Number(exact[`d${i}`]![k]) - difference);
      expect(
        error,
        `input ${i}, element ${k}: gradient ${exact[`d${i}`]![k]}, difference ${difference}`,
      ).toBeLessThanOrEqual(tolerance * (1 + Math.abs(difference)));
    }
  }
  await program.dispose();
}

function weightedSum(y: Tensor, random: () => number): Tensor {
  const weights = Array.from({ length: y.size }, () => 1 + random());
  return sum(mul(y, constant(weights, y.dtype, y.shape)));
}
