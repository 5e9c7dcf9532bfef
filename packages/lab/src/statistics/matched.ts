// The variants at equal cost: their validation losses where each has used as many floating-point operations, or as much
// processor time, as the cheapest one in its whole run.
import { activationFromJson } from "swiglu";
import { shapeOf } from "../config/shape.js";
import type { Config, VariantConfig } from "../config/types.js";
import { flopsPerStep } from "../model/flops.js";
import type { CurvePoint, FinishedRun, RunRecord } from "../records/record.js";
import { type Estimate, estimate, median } from "./inference/estimate.js";

/** What a step of a variant costs, and the losses on the sample of the validation part. */
interface MatchedVariant {
  readonly name: string;
  /** Operations of the matrix products, forward and backward. */
  readonly flopsPerStep: number;
  /** Processor time of the median run. */
  readonly cpuSecondsPerStep: number;
  /** After all steps. */
  readonly atEnd: Estimate;
  /** At the cost of the cheapest variant; null before the first point of the curve. */
  readonly atEqualFlops: Estimate | null;
  readonly atEqualTime: Estimate | null;
}

/** What the cheapest variant's run cost, and the losses at that, in the order of the configuration. */
export interface Matched {
  readonly flops: number;
  readonly cpuSeconds: number;
  readonly variants: readonly MatchedVariant[];
}

/** Compares the variants of which a run finished at equal cost; undefined where there are not two of them. */
export function matchCosts(config: Config, records: readonly RunRecord[]): Matched | undefined {
  const { steps } = config;
  const all = config.variants.flatMap((variant) => {
    const runs = records.filter((record) => record.status === "finished");
    const own = runs.filter((run) => run.variant === variant.name);
    if (own.length === 0) return [];
    return [
      {
        name: variant.name,
        runs: own,
        flopsPerStep: flopsOf(config, variant),
        cpuSecondsPerStep: median(own.map(({ cpuSeconds }) => cpuSeconds)) / steps,
      },
    ];
  });
  if (all.length < 2) return undefined;
  const fewestFlops = Math.min(...all.map((variant) => variant.flopsPerStep));
  const leastTime = Math.min(...all.map((variant) => variant.cpuSecondsPerStep));
  return {
    flops: fewestFlops * steps,
    cpuSeconds: leastTime * steps,
    variants: all.map(({ runs, ...variant }) => ({
      ...variant,
      atEnd: estimate(runs.map(({ validationCurve }) => lossAt(validationCurve, steps)!)),
      atEqualFlops: estimateAt(runs, steps * (fewestFlops / variant.flopsPerStep)),
      atEqualTime: estimateAt(runs, steps * (leastTime / variant.cpuSecondsPerStep)),
    })),
  };
}

function flopsOf(config: Config, variant: VariantConfig): number {
  const { name, trained, activation } = variant;
  const own = { name, trained, activation: activationFromJson(activation) };
  return flopsPerStep(own, shapeOf(config, variant), config.batch);
}

function estimateAt(runs: readonly FinishedRun[], step: number): Estimate | null {
  const losses = runs.flatMap(({ validationCurve }) => lossAt(validationCurve, step) ?? []);
  return losses.length < runs.length ? null : estimate(losses);
}

/** The loss at a step, which may lie between two points of the curve; undefined before the first of them. */
function lossAt(curve: readonly CurvePoint[], step: number): number | undefined {
  const index = curve.findIndex((point) => point.step >= step);
  const after = curve[index];
  if (after === undefined || after.step === step) return after?.loss;
  const before = curve[index - 1];
  if (before === undefined) return undefined;
  const share = (step - before.step) / (after.step - before.step);
  return before.loss + share * (after.loss - before.loss);
}

/** What the figures at equal cost can say. */
export function describeMatched({ variants }: Matched): string[] {
  const cheapest = (cost: (variant: MatchedVariant) => number): string =>
    variants.reduce((a, b) => (cost(b) < cost(a) ? b : a)).name;
  return [
    `The losses at equal cost are those on a sample of the validation part, where a run has used what all steps of the cheapest variant cost: ${cheapest((variant) => variant.flopsPerStep)} in floating-point operations, ${cheapest((variant) => variant.cpuSecondsPerStep)} in processor time.`,
    "Operations are those of the matrix products, forward and backward; elementwise work is left out. Processor time is of this machine, engine and load.",
    "The learning rate falls to zero over the whole run, and a loss before its end is read off before the rate has fallen: a run planned for that cost would end lower. So these figures are too hard on variants that cost more, and by more the more they cost.",
  ];
}
