// What the library sets itself to reach against the others, and what a run measured.
import { ratios, summarise } from "../statistics.js";
import { caseName } from "./cases.js";
import type { Measurement } from "./measure.js";

/** Ours must be at least `atLeast` times as fast as the other, or, for a yardstick, reach that share of it. */
interface Target {
  readonly case: string;
  readonly column: string;
  readonly threads: number;
  readonly versus: string;
  readonly atLeast: number;
  /** Compare the best rounds rather than paired ones: a shared core halves either. */
  readonly best?: boolean;
}

const against = (
  names: Readonly<Record<string, number>>,
  where: Pick<Target, "case" | "column" | "threads">,
): Target[] => Object.entries(names).map(([versus, atLeast]) => ({ ...where, versus, atLeast }));

const trained = ["128x512x1376", "512x1024x2816"].flatMap((size) => [
  `ffnForward ${size}`,
  `ffnStep ${size}`,
]);

/** What blocks of several rows are held to, in the columns that have an aim for them. */
const blocks: Readonly<Record<string, (where: Pick<Target, "case" | "column" | "threads">) => Target[]>> = {
  "Node 20": (where) => against({ "onnxruntime-web": 1 }, where),
  "Node 24": (where) => [
    ...against({ "onnxruntime-web": 1.8 }, where),
    { ...where, versus: "bare multiply-adds", atLeast: 0.75, best: true },
  ],
};

const targets: readonly Target[] = [
  ...against(
    { "tfjs-wasm": 2.2, "onnxruntime-web": 5, "jax-js": 8 },
    { case: "forward 2^20", column: "Node 24", threads: 1 },
  ),
  ...against(
    { "tfjs-wasm": 2, "onnxruntime-web": 4, "jax-js": 6 },
    { case: "forward 2^20", column: "Node 20", threads: 1 },
  ),
  ...["Node 20", "Node 24", "Chromium"].flatMap((column): Target[] => [
    ...against({ "bare multiply": 1 / 1.5 }, { case: "forward 2^24", column, threads: 2 }),
    ...against(
      { "tfjs-wasm, tf.grads": 6, "onnxruntime-web": 6, "jax-js": 6 },
      { case: "backward 2^20", column, threads: 1 },
    ),
    ...[1, 2].flatMap((threads) =>
      trained.flatMap((name) => blocks[column]?.({ case: name, column, threads }) ?? []),
    ),
    ...against(
      { "onnxruntime-web": 1.5, "read of the weights": 0.75 },
      { case: "ffnForward 1x1024x2816", column, threads: 2 },
    ),
  ]),
];

export interface Verdict extends Target {
  readonly measured: number;
  readonly reached: boolean;
}

/** The measurement of ours that counts: the faster of plain and relaxed. */
export function oursOf(
  rows: readonly Measurement[],
  column: string,
  threads: number,
): Measurement | undefined {
  return rows
    .filter(({ identity: id }) => id.role === "ours" && id.column === column && id.threads === threads)
    .sort((a, b) => summarise(a.rounds).median - summarise(b.rounds).median)[0];
}

/** The targets of which a run measured both sides. */
export function verdicts(measurements: readonly Measurement[]): Verdict[] {
  return targets.flatMap((target): Verdict[] => {
    const { column, threads, versus, atLeast, best = false } = target;
    const rows = measurements.filter((row) => caseName(row.case) === target.case);
    const ours = oursOf(rows, column, threads);
    const theirs = rows.find(
      ({ identity: id }) => id.name === versus && id.column === column && id.threads === threads,
    );
    if (ours === undefined || theirs === undefined) return [];
    const measured = best
      ? summarise(theirs.rounds).min / summarise(ours.rounds).min
      : ratios(theirs.rounds, ours.rounds).median;
    return [{ ...target, measured, reached: measured >= atLeast }];
  });
}
