// What a backward kernel collects over all elements: the gradients of parameters, and whether every result is finite.

import type { Code } from "../assembler/code.js";
import { f32, f32x4, f64x2, i8x16, i32, i32x4, v128 } from "../assembler/instructions.js";
import type { Local } from "../assembler/module.js";
import type { Vector, VectorWriter } from "../vector/writer.js";
import type { Step } from "./kernel-loops.js";

/** A gradient of a parameter, while it is collected. */
export interface Total {
  add(step: Step, value: Vector): void;
  /** Code that runs after each block of elements. A block is so short that float32 sums it accurately. */
  flush(): Code<"none">[];
  /** Code that runs once at the end. */
  finish(): Code<"none">[];
}

/**
 * A sum over all elements, for a parameter that is one number. Blocks are summed in float32, their sums in float64. The kernel
 * leaves 4 parts of the sum at `target`.
 */
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

/** A sum in float64 for each channel, stored from `base` on. The first is that of the run's first element. */
export function channelSums(write: VectorWriter, base: Local<"i32">): Total {
  return {
    add: ({ width, offset, at }, value) => {
      const address = i32.add(base.get(), i32.shl(offset.get(), i32.const(1)));
      halves(usedLanes(write, width, value)).forEach((half, i) => {
        if (width === 1 && i === 1) return;
        const byte = 2 * at + 16 * i;
        // The sum of one element is 8 bytes, but 16 are stored: the second lane adds 0, in the padding behind the sums.
        write.do(v128.store(address, f64x2.add(v128.load(address, byte), half), byte));
      });
    },
    flush: () => [],
    finish: () => [],
  };
}

/** Whether all results are finite: the numbers at `target` stay 0, or one of them becomes NaN. */
export function finiteFlag(write: VectorWriter, target: Local<"i32">) {
  const collected = write.local();
  return {
    /**
     * Adds x - x for the sum x of all results of a step: 0 if x is finite, else NaN. Finite results whose sum overflows are a false
     * alarm, which costs time but no accuracy.
     */
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

/** The value with the lanes that count: all of them, or only the first, and 0 in the others. */
function usedLanes(write: VectorWriter, width: Step["width"], value: Vector): Vector {
  if (width === 4) return value;
  const first = [0, 1, 2, 3, ...Array<number>(12).fill(16)];
  const mask = write.outside("first lane", () =>
    i8x16.shuffle(i32x4.splat(i32.const(-1)), i32x4.splat(i32.const(0)), first),
  );
  return write.let(v128.and(value.get(), mask.get()));
}

/** The lower two lanes and the upper two lanes, as float64. */
function halves(value: Vector): Code<"v128">[] {
  const upper = [8, 9, 10, 11, 12, 13, 14, 15, ...Array<number>(8).fill(0)];
  return [
    f64x2.promote_low_f32x4(value.get()),
    f64x2.promote_low_f32x4(i8x16.shuffle(value.get(), value.get(), upper)),
  ];
}
