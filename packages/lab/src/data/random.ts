// Seeded randomness: every use draws from its own stream, named by what it is for, so that no use disturbs another.
import { createHash } from "node:crypto";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";

/** The random stream of a purpose under a seed; the same pair always gives the same numbers. */
export function stream(seed: number, purpose: string): RandomGenerator {
  const digest = createHash("sha256").update(`${purpose}\n${seed}`).digest();
  return xoroshiro128plus(digest.readInt32LE(0));
}

/** 0 .. count - 1 in random order (Fisher and Yates). */
export function permutation(count: number, random: RandomGenerator): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
