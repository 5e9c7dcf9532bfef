// SwiGLU's validation loss minus a rival's on the way of the first edition's runs, in per cent of the rival's loss.
import { estimate } from "../statistics/inference/estimate.js";
import type { Evidence } from "./types.js";

interface GapPoint {
  /** The share of the run's steps, 0 to 1. */
  readonly share: number;
  readonly mean: number;
  /** Half the width of the 95 % t-interval over seeds. */
  readonly half: number;
}

export interface Gap {
  readonly rival: string;
  readonly points: readonly GapPoint[];
}

const RIVALS = ["swish", "glu"];

/** A gap for each rival, over the places at which runs were validated. */
export function gapsOf({ config, records, analysis }: Evidence): Gap[] {
  const curveOf = (name: string, seed: number) =>
    records.find((each) => each.variant === name && each.seed === seed)?.validationCurve ?? [];
  return RIVALS.flatMap((rival): Gap[] => {
    const places = curveOf(rival, analysis.seeds[0]!);
    if (places.length === 0) return [];
    const points = places.map(({ step }, i): GapPoint => {
      const values = analysis.seeds.flatMap((seed) => {
        const [own, other] = [curveOf("swiglu", seed)[i]?.loss, curveOf(rival, seed)[i]?.loss];
        return own === undefined || other === undefined ? [] : [(100 * (own - other)) / other];
      });
      const { mean, half } = estimate(values);
      return { share: step / config.steps, mean, half: half ?? 0 };
    });
    return [{ rival, points }];
  });
}

/** The share of the run after which the gap keeps the sign that it ends with; undefined where it has that from the first point on. */
export function crossing({ points }: Gap): number | undefined {
  const end = Math.sign(points.at(-1)!.mean);
  const last = points.findLastIndex(({ mean }) => Math.sign(mean) !== end);
  return last < 0 ? undefined : points[last]!.share;
}
