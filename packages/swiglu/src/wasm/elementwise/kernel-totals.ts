// What a backward kernel collects over all elements: gradients of parameters, and whether every result is finite.

import type { Code } from "../assembler/code.js";
import { f32, f32x4, f64x2, i8x16, i32, i32x4, v128 } from "../assembler/instructions.js";
import type { Local } from "../assembler/module.js";
import type { Vector, VectorWriter } from "../vector/writer.js";
import type { Step } from "./kernel-loops.js";

/** Something that is collected. */
export interface Total {
  add(step: Step, value: Vector): void;
  /** After each block of elements, few enough that float32 sums them well. */
  flush(): Code<"none">[];
  finish(): Code<"none">[];
}

/** Sums over all elements, of which 4 parts are left at `target`: blocks in float32, and their sums in float64. */
export function numberSum(write: VectorWriter, target: Local<"i32">): Total {
  const sums = [write.local(), write.local()] as const;
  const blockSum = write.local();
  return {
    add: ({ width }, value) => {
      write.do(blockSum.set(f32x4.add(blockSum.get(), usedLanes(write, width, value).get())));
    },
    flush: () => [
      ...halves(blockSum).map((half, i) => {
        const sum = sums[i] as Vector;
        return sum.set(f64x2.add(sum.get(), half));
      }),
      blockSum.set(f32x4.splat(f32.const(0))),
    ],
    finish: () => sums.map((sum, i) => v128.store(target.get(), sum.get(), 16 * i)),
  };
}

/** Sums for each channel, in float64 from `base` on: those of the run's first element first. */
export function channelSums(write: VectorWriter, base: Local<"i32">): Total {
  return {
    add: ({ width, offset, at }, value) => {
      const address = i32.add(base.get(), i32.shl(offset.get(), i32.const(1)));
      halves(usedLanes(write, width, value)).forEach((half, i) => {
        if (width === 1 && i === 1) return;
        const byte = 2 * at + 16 * i;
        // One element's sum is 8 bytes; the second lane of the half is 0, and lies within the padding of the sums.
        write.do(v128.store(address, f64x2.add(v128.load(address, byte), half), byte));
      });
    },
    flush: () => [],
    finish: () => [],
  };
}

/** Whether results are finite: at `target`, 0 stays 0, and becomes NaN where one is not. */
export function finiteFlag(write: VectorWriter, target: Local<"i32">) {
  const collected = write.local();
  return {
    /** Takes all results of a step: x - x is 0 for a finite x, else NaN. A sum that overflows is a false alarm. */
    add: ({ width }: Step, results: readonly Vector[]): void => {
      const [first, ...others] = results as readonly [Vector, ...Vector[]];
      const sum = others.reduce((a, b) => write.let(f32x4.add(a.get(), b.get())), first);
      const used = usedLanes(write, width, sum);
      write.do(collected.set(f32x4.add(collected.get(), f32x4.sub(used.get(), used.get()))));
    },
    finish: (): Code<"none">[] => [
      v128.store(target.get(), f32x4.add(v128.load(target.get()), collected.get())),
    ],
  };
}

/** The lanes that count: all, or the first, the others being 0. */
function usedLanes(write: VectorWriter, width: Step["width"], value: Vector): Vector {
  if (width === 4) return value;
  const first = [0, 1, 2, 3, ...Array<number>(12).fill(16)];
  const mask = write.outside("first lane", () =>
    i8x16.shuffle(i32x4.splat(i32.const(-1)), i32x4.splat(i32.const(0)), first),
  );
  return write.let(v128.and(value.get(), mask.get()));
}

/** The lower and the upper two lanes as float64. */
function halves(value: Vector): Code<"v128">[] {
  const upper = [8, 9, 10, 11, 12, 13, 14, 15, ...Array<number>(8).fill(0)];
  return [
    f64x2.promote_low_f32x4(value.get()),
    f64x2.promote_low_f32x4(i8x16.shuffle(value.get(), value.get(), upper)),
  ];
}
