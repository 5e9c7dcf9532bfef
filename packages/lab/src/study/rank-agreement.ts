// How the order of a study's variants agrees with a published one.
import type { Interval } from "../statistics/inference/estimate.js";
import { kendall } from "../statistics/inference/kendall.js";
import { RESAMPLES, resampledMeans, sampleMeans } from "./bootstrap.js";
import { measuredAt } from "./measured.js";
import type { StudyRecord } from "./types.js";

/** How the order of some variants agrees with a published one, at one length of the first width. */
interface RankAgreement {
  readonly length: number;
  /** Mean test losses of the study's variants. */
  readonly losses: readonly number[];
  readonly tau: number;
  /** The middle 95 % of the resamples. */
  readonly interval: Interval;
}

/**
 * Kendall's tau of the mean test losses with published figures.
 *
 * @param published of variants of the study, two or more, none level
 */
export function rankAgreement(
  study: StudyRecord,
  published: ReadonlyMap<string, number>,
  resamples = RESAMPLES,
): RankAgreement[] {
  const found = measuredAt(study, study.widths[0]!);
  if (found === undefined) return [];
  const places = [...published.keys()].map((name) => study.variants.indexOf(name));
  const tauOf = (losses: readonly number[]): number =>
    kendall(
      places.map((place) => losses[place]!),
      [...published.values()],
    ).tau;
  const { test } = sampleMeans(found.data);
  const draws = [...resampledMeans(found.data, { resamples })].map((means) => means.test.map(tauOf));
  return found.cells.map(({ length }, l) => {
    const sorted = draws.map((taus) => taus[l]!).sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
    return { length, losses: test[l]!, tau: tauOf(test[l]!), interval: { low: at(0.025), high: at(0.975) } };
  });
}
