// Loss against training length, and what a loss is worth in compute: how many steps a rival needs for it (docs/method.md).

/** The mean loss at the end of full runs, and how many steps these had. */
export interface LengthPoint {
  readonly steps: number;
  readonly loss: number;
}

/** How far beyond its ends a curve is followed, as a factor of the steps. */
export const BEYOND = 2;

export interface Reached {
  /** Natural logarithm of the steps. */
  readonly logSteps: number;
  /** Where the loss lies beyond what the curve is followed to: it takes more, or fewer, steps than given. */
  readonly bound: "more" | "fewer" | null;
}

/**
 * The curve of some points: losses that never rise with the steps (neighbours that do are pooled at their mean, which is the
 * nearest such curve by least squares), straight between points in the logarithm of the steps.
 *
 * @param points at different numbers of steps, in rising order
 */
export function fallingCurve(points: readonly LengthPoint[]): LengthPoint[] {
  const pools: { sum: number; count: number }[] = [];
  for (const { loss } of points) {
    pools.push({ sum: loss, count: 1 });
    for (;;) {
      const [before, last] = [pools.at(-2), pools.at(-1)!];
      if (before === undefined || before.sum / before.count >= last.sum / last.count) break;
      pools.splice(-2, 2, { sum: before.sum + last.sum, count: before.count + last.count });
    }
  }
  const levels = pools.flatMap(({ sum, count }) => new Array<number>(count).fill(sum / count));
  return points.map(({ steps }, i) => ({ steps, loss: levels[i]! }));
}

/**
 * After how many steps a curve has a loss: on it, or beyond its ends along its first or last piece, by at most `BEYOND`.
 *
 * @param curve of two or more points, as `fallingCurve` gives them
 * @example stepsFor([{ steps: 100, loss: 3 }, { steps: 400, loss: 2 }], 2.5) // { logSteps: ln 200, bound: null }
 */
export function stepsFor(curve: readonly LengthPoint[], loss: number): Reached {
  const [first, last] = [curve[0]!, curve.at(-1)!];
  const log = ({ steps }: LengthPoint): number => Math.log(steps);
  if (loss > first.loss) return along(first, curve[1]!, first, loss, "fewer");
  if (loss < last.loss) return along(curve.at(-2)!, last, last, loss, "more");
  const after = Math.max(
    1,
    curve.findIndex((point) => point.loss <= loss),
  );
  const [a, b] = [curve[after - 1]!, curve[after]!];
  const share = a.loss === b.loss ? 0 : (a.loss - loss) / (a.loss - b.loss);
  return { logSteps: log(a) + share * (log(b) - log(a)), bound: null };
}

/** Beyond an end, along the piece from a to b. */
function along(
  a: LengthPoint,
  b: LengthPoint,
  end: LengthPoint,
  loss: number,
  bound: "more" | "fewer",
): Reached {
  const perLog = (b.loss - a.loss) / Math.log(b.steps / a.steps);
  const farthest = (bound === "more" ? 1 : -1) * Math.log(BEYOND);
  const distance = perLog === 0 ? farthest : (loss - end.loss) / perLog;
  if (Math.abs(distance) >= Math.abs(farthest)) return { logSteps: Math.log(end.steps) + farthest, bound };
  return { logSteps: Math.log(end.steps) + distance, bound: null };
}

/**
 * The slope of the line of least squares.
 *
 * @param x two or more, not all the same
 * @example slopeOf([0, 1, 2], [1, 3, 5]) // 2
 */
export function slopeOf(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const sum = (f: (i: number) => number): number => x.reduce((total, _, i) => total + f(i), 0);
  return sum((i) => (x[i]! - mx) * (y[i]! - my)) / sum((i) => (x[i]! - mx) ** 2);
}
