// What is wrong gets a sentence of this package, whatever it is; names that JavaScript's objects inherit, or that the graph has inside,
// are names like others; and numbers are operands.

import { runInNewContext } from "node:vm";
import * as g from "onnx-grad";
import {
  activate,
  add,
  compile,
  constant,
  gradient,
  input,
  mul,
  sum,
  type Tensor,
  Training,
} from "onnx-grad";
import * as ort from "onnxruntime-node";
import { activations, expressions as e, evaluate } from "swiglu";
import { describe, expect, it } from "vitest";
import { numbers } from "./finite-differences.js";

const x = input("x", [2, 3]);
const flags = g.greater(x, 0);
const ids = input("ids", [2, 3], "int32");
const missing = undefined as unknown as Tensor;

async function run(y: Tensor, feeds: g.Data): Promise<number[]> {
  const program = await compile(ort, { y });
  const results = await program.run(feeds);
  await program.dispose();
  return Array.from(results.y!, Number);
}

describe("a sentence for each", () => {
  const cases: Record<string, [() => unknown, RegExp]> = {
    "a parameter that is not there": [
      () => g.linear(x, missing),
      /^linear: weight is undefined, expected a tensor; is the name of a parameter misspelt\?$/,
    ],
    "one in arithmetic": [
      () => add(x, missing),
      /^Add: operand 2 is undefined, expected a tensor or a number; is/,
    ],
    "a number in the place of a tensor": [
      () => g.matmul(x, 2 as never),
      /^matmul: b is 2, expected a tensor; constant\(2\) makes one/,
    ],
    "two numbers": [() => add(1, 2), /at least one operand must be a tensor, got 1 and 2; constant\(1\)/],
    "half beside integers": [() => add(ids, 0.5), /the number 0\.5 stands beside a tensor that is int32/],
    "bool in arithmetic": [() => add(flags, flags), /Add: the operands are bool.*cast/],
    "integers where floats are needed": [
      () => g.exp(ids),
      /^Exp: x is int32, expected float32 or float64; .*cast$/,
    ],
    "a tensor instead of a list": [
      () => gradient(sum(x), x as never),
      /^gradient: wrt is a tensor, expected an array$/,
    ],
    "reshape that does not divide": [
      () => g.reshape(x, [4, -1]),
      /holds 6 elements, which the 4 of \[4,-1\] do not/,
    ],
    "reshape with two open sizes": [() => g.reshape(x, [-1, -1]), /has 2 sizes of -1; one/],
    "no rows": [() => input("z", [0, 3]), /^input "z" has size 0 in its shape \[0,3\]/],
    "a constant of no rows": [
      () => constant([], "float32", [0, 3]),
      /^constant has size 0 in its shape \[0,3\]/,
    ],
    "an integer constant that is none": [
      () => constant([1, 2.5], "int32"),
      /2\.5 is not a whole number that int32/,
    ],
    "an integer that is too large": [
      () => constant(2 ** 31, "int32"),
      /is not a whole number that int32 can hold/,
    ],
    "an element type that is none": [
      () => input("h", [2], "float16" as never),
      /element type float16; there are/,
    ],
    "a cast to one": [() => g.cast(x, "float16" as never), /^cast: the result has element type float16/],
    "an empty name": [() => input("", [2]), /^input: the name is ""/],
    "a softmax of a scalar": [() => g.softmax(sum(x)), /^softmax: x is a scalar/],
    "an epsilon that is NaN": [
      () => g.standardise(x, Number.NaN),
      /epsilon is NaN, expected a finite number/,
    ],
    "a scale that is NaN": [
      () => g.matmul(x, x, { scale: Number.NaN }),
      /scale is NaN, expected a finite number/,
    ],
    "labels that are floats": [
      () => g.crossEntropy(x, input("l", [2])),
      /^logLoss: labels are float32; they must be int32/,
    ],
    "an activation in the place of its expression": [
      () => activate(activations.silu as never, { x }),
      /the expression is of type object, expected one of swiglu, as activations\.silu\.expression/,
    ],
    "a variable that is neither": [
      () => activate(activations.silu.expression, { x: "1" as never }),
      /x is "1", expected a tensor or a number/,
    ],
    "sumTo of another shape": [() => g.sumTo(x, [4]), /do not broadcast/],
    "pad by less than nothing": [() => g.pad(x, -1, 0, 0), /-1 before and 0 after; expected whole numbers/],
    "split into nothing": [
      () => g.split(x, [0, 3], 1),
      /sizes are \[0,3\]; expected whole numbers from 1 on/,
    ],
  };
  for (const [name, [build, message]] of Object.entries(cases)) {
    it(name, () => {
      expect(build).toThrow(message);
    });
  }

  it("5,000 random calls of all operations: a tensor of whole sizes, or a sentence of this package", async () => {
    const operations: Record<string, unknown> = {
      ...(await import("../dist/operations/index.js")),
      ...{ input, constant, gradient, buildModel: g.buildModel },
    };
    const random = numbers(17);
    for (let i = 0; i < 20; i++) random();
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    const things: readonly unknown[] = [
      ...[
        undefined,
        3,
        -1,
        1.5,
        Number.NaN,
        0,
        1,
        2,
        "x",
        "float64",
        true,
        {},
        [],
        [1, 2],
        [2, 1],
        [3, 2],
        [x, x],
      ],
      ...[x, x, input("b", [3]), input("j", [2], "int64"), input("k", [], "bool"), flags, ids, sum(x)],
      ...[input("d", [2, 3], "float64"), input("m", [3, 3]), { x }, { gate: x, up: 2, beta: 1 }],
      activations.swiglu.expression,
    ];
    // What engines say, not libraries.
    const foreign =
      /Cannot|not a function|not iterable|Invalid array|Invalid typed|of empty array|BigInt|undefined is/;
    for (let i = 0; i < 5000; i++) {
      const name = pick(Object.keys(operations));
      const given = Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(things));
      try {
        const made = (operations[name] as (...given: unknown[]) => unknown)(...given);
        for (const tensor of [made].flat())
          if (tensor instanceof g.Tensor)
            expect(
              tensor.shape.every((size) => Number.isInteger(size) && size > 0),
              name,
            ).toBe(true);
      } catch (error) {
        expect((error as Error).message, name).not.toMatch(foreign);
      }
    }
  });

  it("at run time: no feeds, a number, a wrong array, an output that is not there", async () => {
    const program = await compile(ort, { y: mul(x, 2) });
    const ok = { x: [1, 2, 3, 4, 5, 6] };
    await expect(program.run(undefined as never)).rejects.toThrow(/the feeds are undefined/);
    await expect(program.run({ x: 1 as never })).rejects.toThrow(/"x" is 1, expected an array of 6 elements/);
    await expect(program.run({ x: new BigInt64Array(6) })).rejects.toThrow(
      /is a BigInt64Array, but .* float32/,
    );
    await expect(program.run(ok, { z: new Float32Array(6) })).rejects.toThrow(/no output "z"/);
    await expect(program.run(ok, { y: new Float32Array(5) })).rejects.toThrow(/"y" has 5 elements/);
    await program.dispose();
    await expect(compile({} as never, { y: x })).rejects.toThrow(/the runtime is of type object without/);
    await expect(compile(ort, { y: mul(x, 2) }, { threads: 1.5 })).rejects.toThrow(/threads is 1\.5/);
  });
});

it("arrays of another realm are taken, as inputs and to write to", async () => {
  const foreign = <T>(code: string): T => runInNewContext(code) as T;
  const y = mul(g.embedding(input("table", [3, 1]), input("rows", [2], "int64")), 2);
  const program = await compile(ort, { y });
  const out = foreign<Float32Array>("new Float32Array(2)");
  const { y: written } = await program.run(
    { table: foreign("new Float32Array([1, 2, 3])"), rows: foreign("new BigInt64Array([2n, 0n])") },
    { y: out },
  );
  await program.dispose();
  expect(written).toBe(out);
  expect(Array.from(out)).toEqual([6, 2]);
});

describe("names", () => {
  const inherited = ["constructor", "toString", "hasOwnProperty", "valueOf"];
  for (const name of inherited) {
    it(`${name}: as input, output, parameter and variable`, async () => {
      const given = input(name, [2]);
      const program = await compile(ort, Object.fromEntries([[`${name}2`, mul(given, 2)]]));
      await expect(program.run({})).rejects.toThrow(`input "${name}" (float32 [2]) is missing`);
      const feeds = Object.fromEntries([[name, [1, 2]]]);
      expect(Array.from((await program.run(feeds))[`${name}2`] as Float32Array)).toEqual([2, 4]);
      await program.dispose();

      const doubled = await compile(ort, Object.fromEntries([[name, mul(input("x", [2]), 2)]]));
      const results = await doubled.run({ x: [1, 2] });
      expect(Object.hasOwn(results, name)).toBe(true);
      expect(Array.from(results[name] as Float32Array)).toEqual([2, 4]);
      await doubled.dispose();

      const training = await Training.create(ort, {
        parameters: [{ name, shape: [2], decay: true }],
        loss: (p) => sum(mul(p[name]!, p[name]!)),
      });
      training.parameter(name).fill(1);
      expect(await training.step({}, 0.1)).toMatchObject({ loss: 2, applied: true });
      await training.dispose();

      const squared = e.mul(e.variable(name), e.variable(name));
      expect(() => activate(squared, {})).toThrow(`the expression uses ${name}`);
      const y = activate(squared, Object.fromEntries([[name, input("x", [2])]]));
      expect(await run(y, { x: [3, -1] })).toEqual([9, 1]);
    });
  }

  it("__proto__ is one that no runtime takes: a sentence", () => {
    expect(() => input("__proto__", [2])).toThrow(/^input: the name is "__proto__"/);
    expect(() => g.buildModel(Object.fromEntries([["__proto__", x]]))).toThrow(
      /an output: the name is "__proto__"/,
    );
  });

  it("that the graph has inside are free for inputs and outputs", async () => {
    for (const name of ["constant_0", "Mul_0", "Add_1", "Mul_0/1", "_constant_0", "__Mul_0"]) {
      const y = add(mul(input(name, [2]), 2), 10);
      expect(await run(y, { [name]: [1, 2] }), name).toEqual([12, 14]);
      const program = await compile(ort, {
        [name]: add(mul(input("x", [2]), 2), 10),
        z: mul(input("x2", [1]), 3),
      });
      const results = await program.run({ x: [1, 2], x2: [1] });
      expect(Array.from(results[name] as Float32Array), name).toEqual([12, 14]);
      await program.dispose();
    }
  });
});

describe("numbers are operands", () => {
  it("in activate: values and gradients are those of a constant", async () => {
    const { expression } = activations.swiglu;
    const gate = input("gate", [3]);
    const [gates, ups] = [
      [0.5, -1, 2],
      [3, 1, -2],
    ];
    const y = activate(expression, { gate, up: input("up", [3]), beta: 1.5 });
    const got = await run(y, { gate: gates, up: ups });
    gates.forEach((at, i) => {
      const exact = evaluate(activations.swiglu, { gate: at, up: ups[i]! }, { beta: 1.5 });
      expect(Math.abs(got[i]! / exact - 1)).toBeLessThan(1e-6);
    });
    const slope = (beta: number | Tensor) =>
      gradient(sum(activate(expression, { gate, up: 2, beta })), [gate])[0]!;
    expect(await run(slope(1.5), { gate: gates })).toEqual(await run(slope(constant(1.5)), { gate: gates }));
  });

  it("but not all of them", () => {
    expect(() => activate(activations.silu.expression, { x: 1 })).toThrow(
      /at least one operand must be a tensor/,
    );
  });
});
