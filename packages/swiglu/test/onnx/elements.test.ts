// 16-bit floats: every value keeps its bits, and what lies between two goes to the nearer, ties to the even one.
import { describe, expect, test } from "vitest";
import { decodeModel, encodeModel, type Model, typedArray } from "../../src/onnx-entry.js";
import { wideFloats } from "../conformance/samples.js";
import { half } from "./runtime.js";

const bitsOf = (type: "float16" | "bfloat16", x: number): number => typedArray(type, [x])[0] as number;

describe("float16", () => {
  test("all 63488 finite values keep their bits, and the midpoints between neighbours go to the even one", () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const value = half(bits);
      const next = bits === 0x7bff ? 65536 : half(bits + 1);
      const middle = (value + next) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const nudge = (next - value) * 2 ** -20;
      const got = [value, -value, middle, middle - nudge, middle + nudge].map((x) => bitsOf("float16", x));
      const expected = [bits, bits | 0x8000, even, bits, bits + 1];
      if (String(got) !== String(expected)) expect(got, `from ${value}`).toEqual(expected);
    }
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
