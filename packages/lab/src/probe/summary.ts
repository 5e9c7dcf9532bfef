// From the measurements of single runs to one line for each variant: numbers of a run, then their mean and range over seeds.
import { median } from "../statistics/inference/estimate.js";
import { DISTANCES, type Gates } from "./measure.js";
import type { ProbeResults, ProbeRun } from "./types.js";
import type { Point } from "./watch.js";

/** A number over the seeds. */
export interface Spread {
  readonly mean: number;
  readonly lowest: number;
  readonly highest: number;
}

type Share = Exclude<keyof Gates, "quantiles">;

export interface VariantProbe {
  readonly name: string;
  /** Runs that did not diverge: those that the numbers are over. */
  readonly seeds: number;
  /** Loss on the probed examples at the end. */
  readonly loss: Spread;
  /** Figures of the training steps' gradients, over the whole run. */
  readonly gradientNorm: Spread;
  readonly variation: Spread;
  readonly stepLength: Spread;
  /** How fast the gradient changes over each distance: the median of a run's points. */
  readonly change: readonly Spread[];
  readonly curvature: readonly Spread[];
  /** The change over the shortest distance over that over 0.01, point by point: 1 where the loss is smooth. */
  readonly roughness: Spread;
  /** Shares before the first step and at the end, means of the blocks. */
  readonly shares: Readonly<Record<Share, { readonly start: Spread; readonly end: Spread }>>;
}

/** The variants in the order of the configuration; those of which every run diverged are left out. */
export function summariseProbe({ config, runs }: ProbeResults): VariantProbe[] {
  return config.variants.flatMap(({ name }) => {
    const finished = runs.filter((run) => run.variant === name && !run.diverged);
    if (finished.length === 0) return [];
    const over = (number: (run: ProbeRun) => number): Spread => spreadOf(finished.map(number));
    const typical = (number: (point: Point) => number): Spread =>
      over(({ points }) => median(points.filter(({ step }) => step > 0).map(number)));
    const share = (part: Share) => ({
      start: over(({ points }) => meanShare(points[0]!, part)),
      end: over(({ points }) => meanShare(points.at(-1)!, part)),
    });
    return {
      name,
      seeds: finished.length,
      loss: over(({ points }) => points.at(-1)!.loss),
      gradientNorm: over((run) => meanOf(trainingOf(run).map(({ gradientNorm }) => gradientNorm))),
      variation: over((run) => meanOf(trainingOf(run).map(({ variation }) => variation))),
      stepLength: over((run) => meanOf(trainingOf(run).map(({ stepLength }) => stepLength))),
      change: DISTANCES.map((_, i) => typical(({ along }) => along[i]!.change)),
      curvature: DISTANCES.map((_, i) => typical(({ along }) => along[i]!.curvature)),
      roughness: typical(({ along }) => ratio(along[0]!.change, along[SMOOTH]!.change)),
      shares: {
        closed: share("closed"),
        dead: share("dead"),
        topTenth: share("topTenth"),
        flat: share("flat"),
        falling: share("falling"),
      },
    };
  });
}

/** The place of 0.01 among the distances. */
const SMOOTH = DISTANCES.indexOf(1e-2);

/** 1 where nothing changes at all. */
const ratio = (a: number, b: number): number => (b === 0 ? 1 : a / b);

const trainingOf = ({ points }: ProbeRun) => points.flatMap(({ training }) => training ?? []);

export const meanShare = ({ gates }: Point, part: Share): number => meanOf(gates.map((gate) => gate[part]));

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const spreadOf = (values: readonly number[]): Spread => ({
  mean: meanOf(values),
  lowest: Math.min(...values),
  highest: Math.max(...values),
});
