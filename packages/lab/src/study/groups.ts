// Test examples in at most 256 groups, so that the losses of every run can be published: clusters stay whole, and are put together by lot.
import { permutation, stream } from "../data/random.js";
import { lossesOfText, textOfLosses } from "../records/record.js";
import type { TestPart } from "../tasks/common/task.js";

const MOST_GROUPS = 256;

/** The group of every example, from 0 on; the same ones always for the same clusters. */
export function groupsOf({ clusters }: TestPart, most = MOST_GROUPS): Int32Array {
  const members = [...new Set(clusters)];
  const order = permutation(members.length, stream(0, "groups of clusters"));
  const count = Math.min(most, members.length);
  const groupOf = new Map<number, number>();
  order.forEach((member, place) => {
    groupOf.set(members[member]!, place % count);
  });
  return Int32Array.from(clusters, (cluster) => groupOf.get(cluster)!);
}

/** The sum of some values in each group. */
export function sumsOf(values: Int32Array | Float32Array, groups: Int32Array): number[] {
  const sums = new Array<number>(groups.reduce((a, b) => Math.max(a, b), -1) + 1).fill(0);
  groups.forEach((group, i) => {
    sums[group]! += values[i]!;
  });
  return sums;
}

/** The losses of a run's examples, as its record has them, by group and in the same form. */
export const groupedText = (losses: string, groups: Int32Array): string =>
  textOfLosses(Float32Array.from(sumsOf(lossesOfText(losses), groups)));
