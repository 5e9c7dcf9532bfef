// Whether other work on the machine has spoilt the times of runs, and with them what is said of equal time.
import type { RunRecord } from "../records/record.js";
import { median } from "./inference/estimate.js";

/** Times as long on the clock as on the processor: what is beyond was spent waiting. */
const WAITING = 1.15;

/** Load of a machine for each of its cores at which runs would have to wait. */
const BUSY = 0.75;

/**
 * A warning for the figures at equal time; none where runs had the processor to themselves.
 *
 * @param steps of a run
 */
export function describeWaiting(steps: number, records: readonly RunRecord[]): string[] {
  const shares = new Map<string, number[]>();
  for (const { status, variant, cpuSeconds, stepsPerSecond } of records) {
    if (status !== "finished" || !(cpuSeconds > 0 && stepsPerSecond > 0)) continue;
    shares.set(variant, [...(shares.get(variant) ?? []), steps / stepsPerSecond / cpuSeconds]);
  }
  const medians = [...shares].map(([variant, all]) => ({ variant, waited: median(all) }));
  const { variant, waited } = medians.reduce((a, b) => (b.waited > a.waited ? b : a), {
    variant: "",
    waited: 1,
  });
  if (!(waited > WAITING)) return [];
  return [
    `The machine was busy: the median run of ${variant} took ${waited.toFixed(1)} times as long on the clock as on the processor. Work that shares caches and memory also makes processor time longer, so do not rely on the figures at equal time; those at equal FLOP are not touched.`,
  ];
}

/**
 * What to say before runs begin on a machine that has other work; nothing where it has little.
 *
 * @param load the processes that want a core, on average over the last minute; 0 where the system does not tell
 */
export function describeLoad(load: number, cores: number): string[] {
  if (load <= BUSY * cores) return [];
  return [
    `This machine is busy with other work (a load of ${load.toFixed(1)} on ${cores} ${cores === 1 ? "core" : "cores"}): ` +
      "runs take longer, and what is said of their times, at equal time above all, is not to be relied on.",
  ];
}
