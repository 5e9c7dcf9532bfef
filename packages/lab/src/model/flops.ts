// How much arithmetic a training step is: its matrix products, which are nearly all of it.
import { endsOf, parameterSpecs } from "./transformer.js";
import type { ModelShape, Variant } from "./types.js";

/**
 * Floating-point operations of the matrix products of one training step, forward and backward: 2 m k n for [m, k] times [k, n],
 * and in the backward pass as much for each of the two factors that carry a gradient (images do not). Elementwise
 * work (activations, norms, softmax, AdamW) is not counted, nor what is done once for all rows, such as folding norms
 * into projections.
 *
 * @param batch images or sequences per step
 * @example flopsPerStep(variant, shape, 8)
 */
export function flopsPerStep(variant: Variant, shape: ModelShape, batch: number): number {
  const { tokens, headRows } = endsOf(shape);
  const rowsOf = (name: string): number => (name === "head.weight" ? batch * headRows : batch * tokens);
  const projections = parameterSpecs(variant, shape)
    .filter(({ decay }) => decay) // the matrices
    .map(({ name, shape: [input = 0, output = 0] }) => {
      const passes = name === "patch.weight" ? 2 : 3;
      return passes * 2 * rowsOf(name) * input * output;
    });
  // Scores and mixtures: each token with every other one, those that a mask hides too.
  const attention = 3 * 2 * shape.depth * 2 * batch * tokens ** 2 * shape.width;
  return projections.reduce((sum, flops) => sum + flops, attention);
}
