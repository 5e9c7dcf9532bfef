// The bootstrap over seeds and test data: how far a mean loss would move with other seeds and another test set.
import normalCdf from "@stdlib/stats-base-dists-normal-cdf";
import tQuantile from "@stdlib/stats-base-dists-t-quantile";
import { stream } from "../../data/random.js";
import type { TestPart } from "../../tasks/common/task.js";
import type { Interval } from "./estimate.js";

const RESAMPLES = 2000;

/**
 * The mean loss of every variant in resamples of seeds and, crossed with them, of clusters of test examples: both are drawn with
 * replacement, the same ones for all variants, so that differences stay paired. A resample's mean is the ratio of sums
 *
 *     sum over its seeds and clusters of losses / (seeds * sum over its clusters of weights)
 *
 * (Owen 2007, the pigeonhole bootstrap.)
 *
 * @param losses of each variant and seed, the summed loss of every test example
 * @returns for each variant one mean per resample
 * @throws Error for losses of another number of examples than the test part has
 */
export function bootstrapMeans(
  losses: readonly (readonly Float32Array[])[],
  part: TestPart,
  { resamples = RESAMPLES, seed = 1 } = {},
): Float64Array[] {
  const members = [...new Set(part.clusters)];
  const places = new Map(members.map((cluster, place) => [cluster, place]));
  const placeOf = Int32Array.from(part.clusters, (cluster) => places.get(cluster)!);
  const count = members.length;
  const weights = sumsByPlace(part.weights, placeOf, count);
  const sums = losses.map((runs) => runs.map((run) => sumsByPlace(run, placeOf, count)));
  const seeds = losses[0]?.length ?? 0;
  const random = stream(seed, "bootstrap");
  // 32 random bits, scaled: no index is likelier than another by more than count / 2^32.
  const draw = (n: number): number => Math.floor((random.next() >>> 0) * 2 ** -32 * n);
  const means = losses.map(() => new Float64Array(resamples));
  const seedCounts = new Float64Array(seeds);
  const counts = new Float64Array(count);
  for (let i = 0; i < resamples; i++) {
    seedCounts.fill(0);
    for (let k = 0; k < seeds; k++) seedCounts[draw(seeds)]!++;
    counts.fill(0);
    for (let k = 0; k < count; k++) counts[draw(count)]!++;
    const total = seeds * dot(counts, weights);
    sums.forEach((runs, variant) => {
      let sum = 0;
      runs.forEach((run, s) => {
        if (seedCounts[s]! > 0) sum += seedCounts[s]! * dot(counts, run);
      });
      means[variant]![i] = sum / total;
    });
  }
  return means;
}

/**
 * The 95 % percentile interval of the difference of two means in the same resamples, at levels that allow for few seeds:
 * Phi(-+ t(n - 1) sqrt(n / (n - 1))) instead of 2.5 % and 97.5 % (Hesterberg 2015, the expanded percentile interval; the plain
 * one is too narrow by sqrt((n - 1) / n) and by z / t).
 *
 * @param n how many seeds, or clusters where these are fewer
 */
export function bootstrapInterval(a: Float64Array, b: Float64Array, n: number): Interval {
  const differences = a.map((value, i) => value - b[i]!).sort();
  const level = normalCdf(-tQuantile(0.975, n - 1) * Math.sqrt(n / (n - 1)), 0, 1);
  return { low: quantile(differences, level), high: quantile(differences, 1 - level) };
}

/** A quantile of sorted values, with linear interpolation between neighbours. */
function quantile(sorted: Float64Array, level: number): number {
  const place = level * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return below + (place - Math.floor(place)) * (above - below);
}

function sumsByPlace(values: Float32Array | Int32Array, placeOf: Int32Array, count: number): Float64Array {
  if (values.length !== placeOf.length)
    throw new Error(
      `a run has the losses of ${values.length} test examples, but there are ${placeOf.length}`,
    );
  const sums = new Float64Array(count);
  for (let i = 0; i < values.length; i++) sums[placeOf[i]!]! += values[i]!;
  return sums;
}

/** In four sums, which a processor adds to side by side. */
function dot(a: Float64Array, b: Float64Array): number {
  const whole = a.length - (a.length % 4);
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    s0 += a[i]! * b[i]!;
    s1 += a[i + 1]! * b[i + 1]!;
    s2 += a[i + 2]! * b[i + 2]!;
    s3 += a[i + 3]! * b[i + 3]!;
  }
  for (let i = whole; i < a.length; i++) s0 += a[i]! * b[i]!;
  return s0 + s1 + s2 + s3;
}
