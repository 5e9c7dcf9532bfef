// The measurement: for each case all contenders are alive and take turns, round after round, so that a noisy machine
// disturbs them alike. Those that do not compute the same are told apart before anything is timed.
import { setTimeout as pause } from "node:timers/promises";
import { type Case, caseName } from "./cases.js";
import { type Contender, describe, type Identity } from "./contenders.js";
import type { Hello, Opened } from "./serve.js";

/** One row of one case: milliseconds of a call in each round. */
export interface Measurement {
  readonly case: Case;
  readonly identity: Identity;
  readonly rounds: readonly number[];
  /** Milliseconds inside the device, where it has a clock. */
  readonly device?: readonly number[];
}

export interface Schedule {
  readonly rounds: number;
  /** At least this many milliseconds a turn. */
  readonly turn: number;
  /** Hears of a contender that is left out of a case, and why. By default a failure is told, and other results end the run. */
  readonly refused?: (identity: Identity, reason: string) => void;
}

/** After a turn on several threads, so that those that spin for work come to rest. */
const restMilliseconds = 40;

export async function measure(
  task: Case,
  contenders: readonly Contender[],
  { rounds, turn, refused = (who, reason) => object(task, who, reason) }: Schedule,
): Promise<Measurement[]> {
  const taking: { contender: Contender; times: number[]; device: number[] }[] = [];
  let expected: Opened["digest"];
  for (const contender of contenders) {
    const { unsupported, digest = [] } = await contender.open(task);
    const other = digest.length > 0 && expected ? difference(digest, expected, contender.hello) : undefined;
    const reason = unsupported ?? other;
    if (reason !== undefined) {
      refused(contender.identity, reason);
      if (other !== undefined) await contender.close();
      continue;
    }
    if (digest.length > 0) expected ??= digest;
    taking.push({ contender, times: [], device: [] });
  }
  for (let round = 0; round < rounds; round++)
    for (let i = 0; i < taking.length; i++) {
      // Each round begins with another one, so that nobody always follows the same neighbour's first turn.
      const { contender, times, device } = taking[(i + round) % taking.length]!;
      const taken = await contender.turn(turn);
      times.push(taken.milliseconds);
      if (taken.device !== undefined) device.push(taken.device);
      if (contender.identity.threads > 1) await pause(restMilliseconds);
    }
  for (const { contender } of taking) await contender.close();
  return taking.map(({ contender: { identity }, times, device }) => ({
    case: task,
    identity,
    rounds: times,
    ...(device.length > 0 ? { device } : {}),
  }));
}

function object(task: Case, identity: Identity, reason: string): void {
  const message = `${caseName(task)}, ${describe(identity)} ${reason}`;
  if (reason.startsWith("computes")) throw new Error(message);
  if (reason.startsWith("failed")) console.error(message);
}

/**
 * What is different about a digest, unless it agrees within 0.1 % of the mean magnitude (or what the side says it needs): all
 * must do the same work.
 */
function difference(digest: Digest, expected: Digest, { tolerance = 1e-3 }: Hello): string | undefined {
  if (digest.length !== expected.length)
    return `computes something else: ${digest.length} results, others ${expected.length}`;
  const differs = (numbers: readonly number[], i: number): boolean =>
    numbers.some((value, j) => !(Math.abs(value - expected[i]![j]!) <= tolerance * expected[i]![0]!));
  const i = digest.findIndex(differs);
  return i < 0 ? undefined : `computes something else: ${digest[i]} in result ${i}, others ${expected[i]}`;
}
type Digest = NonNullable<Opened["digest"]>;
