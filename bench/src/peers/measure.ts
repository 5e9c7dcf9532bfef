// The measurement: for each case all contenders are alive and take turns, round after round, so that a noisy machine
// disturbs them alike. Those that do not compute the same are told apart before anything is timed.
import { setTimeout as pause } from "node:timers/promises";
import { type Case, caseName } from "./cases.js";
import { type Contender, describe, type Identity } from "./contenders.js";
import type { Opened } from "./serve.js";

/** One row of one case: milliseconds of a call in each round. */
export interface Measurement {
  readonly case: Case;
  readonly identity: Identity;
  readonly rounds: readonly number[];
}

export interface Schedule {
  readonly rounds: number;
  /** At least this many milliseconds a turn. */
  readonly turn: number;
}

/** After a turn on several threads, so that those that spin for work come to rest. */
const restMilliseconds = 40;

export async function measure(
  task: Case,
  contenders: readonly Contender[],
  { rounds, turn }: Schedule,
): Promise<Measurement[]> {
  const taking: { contender: Contender; times: number[] }[] = [];
  let expected: Opened["digest"];
  for (const contender of contenders) {
    const { unsupported, digest = [] } = await contender.open(task);
    if (unsupported !== undefined) {
      if (unsupported.startsWith("failed"))
        console.error(`${caseName(task)}, ${describe(contender.identity)} ${unsupported}`);
      continue;
    }
    if (digest.length > 0) {
      expected ??= digest;
      checkSame(digest, expected, `${caseName(task)}: ${describe(contender.identity)}`);
    }
    taking.push({ contender, times: [] });
  }
  for (let round = 0; round < rounds; round++)
    for (let i = 0; i < taking.length; i++) {
      // Each round begins with another one, so that nobody always follows the same neighbour's first turn.
      const { contender, times } = taking[(i + round) % taking.length]!;
      times.push((await contender.turn(turn)).milliseconds);
      if (contender.identity.threads > 1) await pause(restMilliseconds);
    }
  for (const { contender } of taking) await contender.close();
  return taking.map(({ contender, times }) => ({ case: task, identity: contender.identity, rounds: times }));
}

/** Throws unless the digests agree within 0.1 % of the mean magnitude: all runtimes must do the same work. */
function checkSame(digest: Digest, expected: Digest, who: string): void {
  if (digest.length !== expected.length)
    throw new Error(`${who} has ${digest.length} results, others ${expected.length}`);
  digest.forEach((numbers, i) => {
    const other = expected[i]!;
    if (numbers.some((value, j) => !(Math.abs(value - other[j]!) <= 1e-3 * other[0]!)))
      throw new Error(`${who} computes something else: ${numbers} in result ${i}, others ${other}`);
  });
}
type Digest = NonNullable<Opened["digest"]>;
