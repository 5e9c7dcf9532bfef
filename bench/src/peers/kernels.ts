// The kernels of the yardsticks: what this machine does at best in WebAssembly, whatever the activation.
// They are assembled with the library's own assembler, whose modules are not part of its public face.
import { brIf, type Code, loop } from "../../../packages/swiglu/dist/wasm/assembler/code.js";
import { f32, f32x4, i32, v128 } from "../../../packages/swiglu/dist/wasm/assembler/instructions.js";
import {
  type Local,
  type MemoryType,
  ModuleBuilder,
} from "../../../packages/swiglu/dist/wasm/assembler/module.js";

/** Vectors in flight in the kernels that go through memory, and accumulators of the multiply-add loop. */
const unrolled = 4;
const accumulators = 12;

/** Bytes that one turn of a memory kernel's loop goes through: sizes must be multiples of it. */
export const stride = 16 * unrolled;

/** Floating-point operations of one turn of the multiply-add loop: 12 vectors of 4, two each. */
export const flopsPerTurn = accumulators * 4 * 2;

/** Statements again and again, while `offset` goes up to `end` by `step`. */
const until = (
  offset: Local<"i32">,
  end: Local<"i32">,
  step: number,
  statements: readonly Code<"none">[],
): Code<"none"> =>
  loop((again) => [
    ...statements,
    offset.set(i32.add(offset.get(), i32.const(step))),
    brIf(again, i32.lt_u(offset.get(), end.get())),
  ]);

const each = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/**
 * A module with `multiply(out, a, b, bytes)`, `copy(out, a, 0, bytes)`, `read(out, a, 0, bytes)`, which leaves 16 bytes
 * at `out`, and `multiplyAdd(out, 0, 0, turns)`, fused where the engine has relaxed SIMD.
 */
export function yardstickModule(memory: MemoryType, relaxed: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder(memory);
  const parameters = ["i32", "i32", "i32", "i32"] as const;

  module.function("multiply", parameters, (body, out, a, b, bytes) => {
    const offset = body.local("i32");
    const at = (base: Local<"i32">): Code<"i32"> => i32.add(base.get(), offset.get());
    const products = each(unrolled, (i) =>
      v128.store(at(out), f32x4.mul(v128.load(at(a), 16 * i), v128.load(at(b), 16 * i)), 16 * i),
    );
    return [until(offset, bytes, stride, products)];
  });

  module.function("copy", parameters, (body, out, a, _, bytes) => {
    const offset = body.local("i32");
    const at = (base: Local<"i32">): Code<"i32"> => i32.add(base.get(), offset.get());
    const copies = each(unrolled, (i) => v128.store(at(out), v128.load(at(a), 16 * i), 16 * i));
    return [until(offset, bytes, stride, copies)];
  });

  module.function("read", parameters, (body, out, a, _, bytes) => {
    const offset = body.local("i32");
    const sums = each(unrolled, () => body.local("v128"));
    const reads = sums.map((sum, i) =>
      sum.set(v128.xor(sum.get(), v128.load(i32.add(a.get(), offset.get()), 16 * i))),
    );
    const total = sums.map((sum) => sum.get()).reduce((left, right) => v128.xor(left, right));
    return [until(offset, bytes, stride, reads), v128.store(out.get(), total)];
  });

  module.function("multiplyAdd", parameters, (body, out, _a, _b, turns) => {
    const turn = body.local("i32");
    const factor = body.local("v128");
    const sums = each(accumulators, () => body.local("v128"));
    const fused = (sum: Code<"v128">): Code<"v128"> =>
      relaxed
        ? f32x4.relaxed_madd(sum, factor.get(), factor.get())
        : f32x4.add(f32x4.mul(sum, factor.get()), factor.get());
    const total = sums.map((sum) => sum.get()).reduce((left, right) => f32x4.add(left, right));
    return [
      factor.set(f32x4.splat(f32.const(0.75))),
      ...sums.map((sum, i) => sum.set(f32x4.splat(f32.const(i)))),
      until(
        turn,
        turns,
        1,
        sums.map((sum) => sum.set(fused(sum.get()))),
      ),
      v128.store(out.get(), total),
    ];
  });
  return module.encode();
}
