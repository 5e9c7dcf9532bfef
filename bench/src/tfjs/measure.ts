// All sides take turns on one case, round after round; before, their results are compared.
import * as tf from "@tensorflow/tfjs";
import { type Side, sides, switchTo } from "./sides.js";
import type { Step } from "./steps.js";
import { bareMultiplyAdds } from "./yardstick.js";

/** Milliseconds of one call in each round, by side; for blocks also of their multiply-adds alone, in registers. */
export type Rounds = { readonly [S in Side]: readonly number[] } & { readonly bare?: readonly number[] };

function once({ run, calls }: Step, side: Side): number {
  switchTo(side);
  const before = performance.now();
  for (let i = 0; i < calls; i++)
    tf.tidy(() => {
      run(side);
    });
  return (performance.now() - before) / calls;
}

/** Throws where a side computes something else. */
function compare(step: Step): void {
  const results = (side: Side): Float32Array[] => {
    switchTo(side);
    return tf.tidy(() => step.run(side).map((tensor) => tensor.dataSync<"float32">()));
  };
  const expected = results("operations");
  for (const side of sides)
    results(side).forEach((data, i) => {
      const wanted = expected[i]!;
      let [off, scale] = [0, 0];
      for (let j = 0; j < data.length; j++) {
        off = Math.max(off, Math.abs(data[j]! - wanted[j]!));
        scale = Math.max(scale, Math.abs(wanted[j]!));
      }
      if (!(off <= 1e-5 * scale))
        throw new Error(`${step.name}, ${side}: result ${i} is off by ${off / scale} of the largest element`);
    });
}

export function measure(step: Step, rounds: number): Rounds {
  compare(step);
  for (const side of sides) for (let i = 0; i < 3; i++) once(step, side);
  const times = Object.fromEntries(sides.map((side) => [side, [] as number[]])) as Record<Side, number[]>;
  const bare: number[] = [];
  const yardstick = bareMultiplyAdds();
  yardstick(step.size);
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) times[side].push(once(step, side));
    bare.push(yardstick(step.size));
  }
  return step.unit === "GFLOP/s" ? { ...times, bare } : times;
}
