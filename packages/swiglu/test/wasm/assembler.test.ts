// The assembler: modules that engines accept and that compute, and code of wrong types refused while it is built.
import { describe, expect, test } from "vitest";
import {
  block,
  br,
  brIf,
  type Code,
  loop,
  sequence,
  signed,
  unsigned,
  when,
} from "../../src/wasm/assembler/code.js";
import { f32, f32x4, i32, v128 } from "../../src/wasm/assembler/instructions.js";
import { ModuleBuilder } from "../../src/wasm/assembler/module.js";
import { instantiate } from "../../src/wasm/machine/instantiate.js";

const memoryType = { shared: false, initial: 1, maximum: 1 };

function assemble(build: (module: ModuleBuilder) => void) {
  const module = new ModuleBuilder(memoryType);
  build(module);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  return {
    kernels: instantiate(module.encode(), memory),
    f32: new Float32Array(memory.buffer),
    i32: new Int32Array(memory.buffer),
  };
}

describe("numbers in LEB128", () => {
  test.each([
    [0, [0]],
    [127, [127]],
    [128, [0x80, 1]],
    [624485, [0xe5, 0x8e, 0x26]],
    [2 ** 32 - 1, [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])("unsigned %d", (value, bytes) => expect(unsigned(value)).toEqual(bytes));
  test.each([
    [0, [0]],
    [-1, [0x7f]],
    [63, [63]],
    [64, [0xc0, 0]],
    [-64, [0x40]],
    [-123456, [0xc0, 0xbb, 0x78]],
    [-(2 ** 31), [0x80, 0x80, 0x80, 0x80, 0x78]],
  ])("signed %d", (value, bytes) => expect(signed(value)).toEqual(bytes));
});

test("a loop with a local, a branch out of two blocks, a condition", () => {
  const { kernels, i32: memory } = assemble((module) => {
    // Stores the sum of the numbers below n, but stops when it passes 20; then -1 at 4 if n was 0.
    module.function("sum", ["i32"], (body, n) => {
      const i = body.local("i32");
      const sum = body.local("i32");
      return [
        block((done) => [
          brIf(done, i32.eqz(n.get())),
          loop((again) => [
            block((next) => [brIf(next, i32.le_u(sum.get(), i32.const(20))), br(done)]),
            sum.set(i32.add(sum.get(), i.get())),
            brIf(again, i32.lt_u(i.tee(i32.add(i.get(), i32.const(1))), n.get())),
          ]),
        ]),
        i32.store(i32.const(0), sum.get()),
        when(i32.eqz(n.get()), [i32.store(i32.const(4), i32.const(-1))]),
      ];
    });
  });
  kernels.sum?.(5);
  expect([...memory.subarray(0, 2)]).toEqual([10, 0]);
  kernels.sum?.(100);
  expect(memory[0]).toBe(21);
  kernels.sum?.(0);
  expect([...memory.subarray(0, 2)]).toEqual([0, -1]);
});

test("vectors, and parameters of several types", () => {
  const { kernels, f32: memory } = assemble((module) => {
    module.function("scale", ["i32", "f32"], (body, at, factor) => {
      const x = body.local("v128");
      return [
        x.set(v128.load(at.get(), 16)),
        v128.store(at.get(), f32x4.mul(x.get(), f32x4.splat(factor.get()))),
      ];
    });
  });
  memory.set([1, 2, 3, 4], 4);
  kernels.scale?.(0, 2.5);
  expect([...memory.subarray(0, 4)]).toEqual([2.5, 5, 7.5, 10]);
});

describe("code of wrong types is refused while it is built", () => {
  const wrong = (code: Code): Code<"i32"> => code as Code<"i32">;
  const vector = f32x4.splat(f32.const(1));
  test.each<[string, () => unknown]>([
    ["i32.add: operand 2 is v128, expected i32", () => i32.add(i32.const(1), wrong(vector))],
    ["f32x4.splat: operand 1 is i32, expected f32", () => f32x4.splat(i32.const(1) as Code as Code<"f32">)],
    ["a statement leaves a i32 on the stack", () => sequence([i32.const(1)])],
    ["br_if: the condition is v128, expected i32", () => block((label) => [brIf(label, wrong(vector))])],
    [
      "a local of type i32 is set to a v128",
      () => new ModuleBuilder(memoryType).function("f", ["i32"], (_, p) => [p.set(wrong(vector))]),
    ],
    [
      "a branch leads to a block that does not surround it",
      () => {
        const module = new ModuleBuilder(memoryType);
        module.function("f", [], () => {
          let outside: Parameters<typeof br>[0] | undefined;
          const first = block((label) => {
            outside = label;
            return [];
          });
          return [first, br(outside as Parameters<typeof br>[0])];
        });
        module.encode();
      },
    ],
  ])("%s", (message, build) => expect(build).toThrow(message));
});
