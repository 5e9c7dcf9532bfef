// A learning curve in one line of text: a column for each part of a run, a block as high as the loss there.

const BLOCKS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588";
const AHEAD = "\u00b7";

/** Mean losses of equal parts of a run; null where none was reported yet. */
export type Trace = readonly (TracePoint | null)[];

interface TracePoint {
  readonly mean: number;
  readonly count: number;
}

export const emptyTrace = (columns: number): Trace => Array.from({ length: columns }, () => null);

/** The trace with one more loss, reported after `step` of `steps`. */
export function traced(trace: Trace, step: number, steps: number, loss: number): Trace {
  const column = Math.min(trace.length - 1, Math.floor((trace.length * (step - 1)) / steps));
  return trace.map((point, i) => {
    if (i !== column) return point;
    const count = (point?.count ?? 0) + 1;
    const mean = point?.mean ?? 0;
    return { mean: mean + (loss - mean) / count, count };
  });
}

/** Blocks from the lowest loss to the highest on a logarithmic scale, dots for what is ahead. */
export function sparkline(trace: Trace): string {
  const last = trace.findLastIndex((point) => point !== null);
  const heights = trace.map((point) => (point === null ? null : Math.log(Math.max(point.mean, 1e-9))));
  const known = heights.filter((height) => height !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  let before = known[0] ?? low; // a part that went by unreported looks like the one before it
  return heights
    .map((height, i) => {
      if (i > last) return AHEAD;
      before = height ?? before;
      const share = high > low ? (before - low) / (high - low) : 0;
      return BLOCKS[Math.round(share * (BLOCKS.length - 1))];
    })
    .join("");
}
