// Element types: numbers to each type's bits and back. 16-bit floats keep theirs; what lies between two goes to the nearer,
// ties to the even one, from float64 as from float32.
import { describe, expect, test } from "vitest";
import {
  decodeModel,
  encodeModel,
  type FloatType,
  gatedFfnGraph,
  type Model,
  numbersIn,
  toFile,
  typedArray,
} from "../../src/onnx-entry.js";
import { slowExtent } from "../conformance/extent.js";
import { wideFloats } from "../conformance/samples.js";
import { half } from "./runtime.js";

describe("float16", () => {
  test("all 63488 finite values keep their bits, and the midpoints between neighbours go to the even one", () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const value = half(bits);
      const next = bits === 0x7bff ? 65536 : half(bits + 1);
      const middle = (value + next) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      // The smaller nudge is lost in float32: who rounds to that first, rounds twice.
      const nudges = [2 ** -20, 2 ** -41].map((part) => (next - value) * part);
      const around = nudges.flatMap((nudge) => [middle - nudge, middle + nudge]);
      const numbers = [value, -value, middle, -middle, ...around];
      const expected = [bits, bits | 0x8000, even, even | 0x8000, bits, bits + 1, bits, bits + 1];
      for (const list of [numbers, Float64Array.from(numbers)]) {
        const got = Array.from(typedArray("float16", list));
        if (String(got) !== String(expected)) expect(got, `from ${value}`).toEqual(expected);
      }
      const near = (next - value) * 2 ** -12;
      const single = Float32Array.from([...numbers.slice(0, 4), middle - near, middle + near]);
      const singles = Array.from(typedArray("float16", single));
      if (String(singles) !== String(expected.slice(0, 6)))
        expect(singles, `from float32 ${value}`).toEqual(expected.slice(0, 6));
    }
  });

  test("every one of the 65536 bit patterns is read", () => {
    const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
    const read = numbersIn("float16", all);
    expect(read).toBeInstanceOf(Float32Array);
    for (let bits = 0; bits < 65536; bits++)
      if (!Object.is(read[bits], half(bits))) expect(read[bits], `bits ${bits}`).toBe(half(bits));
  });

  test("specials", () => {
    const values = [Infinity, -Infinity, 1e300, -0, 5e-324, Number.NaN];
    expect(Array.from(typedArray("float16", values))).toEqual([0x7c00, 0xfc00, 0x7c00, 0x8000, 0, 0x7e00]);
  });
});

test("bfloat16 is float32 rounded to its upper half", () => {
  const values = [...wideFloats(5000, 1), Infinity, -Infinity, 0, -0, 3.4e38];
  const rounded = Array.from(new Uint32Array(Float32Array.from(values).buffer), (bits) =>
    Math.floor((bits + 0x7fff + ((bits >>> 16) & 1)) / 2 ** 16),
  );
  expect(Array.from(typedArray("bfloat16", Float32Array.from(values)))).toEqual(rounded);
});

test("bfloat16 from float64 is rounded once", () => {
  for (let bits = 0; bits < 0x7f80; bits += 3) {
    const [value, next] = numbersIn("bfloat16", Uint16Array.of(bits, bits + 1)) as unknown as [
      number,
      number,
    ];
    const upper = bits === 0x7f7f ? 2 ** 128 : next;
    const middle = value + (upper - value) / 2;
    const nudge = (upper - value) * 2 ** -43;
    expect(Array.from(typedArray("bfloat16", [value, middle, middle - nudge, -middle - nudge]))).toEqual([
      bits,
      bits % 2 === 0 ? bits : bits + 1,
      bits,
      (bits + 1) | 0x8000,
    ]);
  }
});

describe("int64", () => {
  test("whole numbers up to 2^53 - 1 either way, and their numbers again", () => {
    const values = [0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32) - 1, 2 ** 53 - 1, -(2 ** 53) + 1];
    const array = typedArray("int64", values);
    expect(Array.from(array)).toEqual(values.map(BigInt));
    expect(Array.from(numbersIn("int64", array))).toEqual(values);
  });
  test.each([0.5, 2 ** 53, -Infinity, Number.NaN])("%d is an error that names its place", (wrong) => {
    expect(() => typedArray("int64", [1, wrong])).toThrow(RangeError);
    expect(() => typedArray("int64", [1, wrong])).toThrow(`element 1 is ${wrong}, expected a whole number`);
  });
  test("what no number holds is an error when it is read", () => {
    expect(() => numbersIn("int64", BigInt64Array.of(1n, 2n ** 63n - 1n))).toThrow(
      /^element 1 is 9223372036854775807, but a number is exact up to/,
    );
  });
});

test("arrays that hold the type already are not copied, those of another realm become this one's views", async () => {
  const { runInNewContext } = await import("node:vm");
  const own = Float32Array.of(1, 2);
  expect(typedArray("float32", own)).toBe(own);
  const foreign = runInNewContext("Float32Array.of(0, 1, 2).subarray(1)") as Float32Array;
  expect(foreign).not.toBeInstanceOf(Float32Array);
  const view = typedArray("float32", foreign);
  expect(view).toBeInstanceOf(Float32Array);
  expect(Array.from(view)).toEqual([1, 2]);
  foreign[0] = 5;
  expect(view[0]).toBe(5);
  expect(Array.from(typedArray("float16", foreign))).toEqual(Array.from(typedArray("float16", [5, 2])));
  expect(Array.from(numbersIn("float16", runInNewContext("Uint16Array.of(0x3c00)") as Uint16Array))).toEqual([
    1,
  ]);
});

test("numbersIn takes a buffer or a view at any byte, and says where bytes do not make elements", () => {
  const bytes = new Uint8Array([9, 0, 0x3c, 0, 0xc0]);
  expect(Array.from(numbersIn("float16", bytes.subarray(1)))).toEqual([1, -2]);
  expect(Array.from(numbersIn("float16", bytes.buffer.slice(1)))).toEqual([1, -2]);
  expect(() => numbersIn("float32", bytes)).toThrow(
    "5 bytes do not make whole elements of float32, which has 4 bytes each",
  );
});

const many = slowExtent === "full" ? 140_000_000 : 1_000_000;
test(`${many} elements are converted without a list of them`, { timeout: 600_000 }, () => {
  const data = new Float32Array(many).fill(-2.5);
  for (const type of ["float16", "bfloat16"] as const) {
    const bits = typedArray(type, data);
    expect(bits.length).toBe(many);
    const back = numbersIn(type, bits);
    expect([back[0], back[many - 1]]).toEqual([-2.5, -2.5]);
  }
  for (const type of ["int32", "bool", "float64"] as const) expect(typedArray(type, data).length).toBe(many);
  const whole = new Int32Array(many).fill(-7);
  expect(numbersIn("int64", typedArray("int64", whole))[many - 1]).toBe(-7);
});

const [dModel, dFf] = slowExtent === "full" ? [4096, 11008] : [1024, 2752];
test(`a block of ${dModel} x ${dFf} as float16 takes at most 3 times as long as float32, written and read`, {
  timeout: 600_000,
}, () => {
  const weight = (step: number): Float32Array => {
    const data = new Float32Array(dModel * dFf);
    for (let i = 0; i < data.length; i++) data[i] = (((i * step) % 2001) - 1000) * 1e-3;
    return data;
  };
  const [gate, up, down] = [weight(3), weight(7), weight(11)];
  const graph = gatedFfnGraph({ activation: "swiglu", dModel, dFf, weights: { gate, up, down } });
  /** Time of the processor: the quickest of some runs. */
  const time = (run: () => unknown): number => {
    const times = [1, 2, 3].map(() => {
      const start = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(start);
      return user + system;
    });
    return Math.min(...times);
  };
  const both = (dtype: FloatType) => () => decodeModel(toFile(graph, { dtype }));
  expect(time(both("float16")) / time(both("float32"))).toBeLessThan(3);
});

test("files give back the numbers, also those of 16 bits", () => {
  const data = [1, -0.333251953125, 65504, 2 ** -24, -Infinity];
  const initializers = (["float16", "bfloat16", "float32", "float64"] as const).map((dtype) => ({
    name: dtype,
    dtype,
    shape: [data.length],
    data,
  }));
  const model: Model = { opset: 21, inputs: [], outputs: [], initializers, nodes: [] };
  const back = decodeModel(encodeModel(model)).initializers.map((tensor) => Array.from(tensor.data));
  expect(back).toEqual([data, [1, -0.333984375, 65536, 2 ** -24, -Infinity], data, data]);
});
