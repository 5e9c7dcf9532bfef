// The learning rate over a run: a linear warm-up, then a cosine down to zero.

/**
 * The learning rate of a step: rises linearly over the first tenth of the run (at most 100 steps) to `peak`, then falls
 * along a cosine, reaching zero after the last step.
 *
 * @param step from 0 to steps - 1
 * @example learningRateAt(0, 400, 1e-3) // 2.5e-5
 */
export function learningRateAt(step: number, steps: number, peak: number): number {
  const warmup = Math.min(100, Math.ceil(steps / 10));
  if (step < warmup) return (peak * (step + 1)) / warmup;
  return (peak * (1 + Math.cos((Math.PI * (step - warmup)) / (steps - warmup)))) / 2;
}
