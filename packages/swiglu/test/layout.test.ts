// Packed layouts: published examples of each, exact inverses over any axis, and refused shapes.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PackedLayout, pack, unpack } from "../src/index.js";

const layouts = ["gate-first", "gate-second", "interleaved"] as const;

describe("published layouts of [1, 2, 3, 4]", () => {
  const packed = Float32Array.of(1, 2, 3, 4);
  test("gate-first: Llama-style packed weights, xformers, vLLM", () => {
    expect(unpack(packed, [4], { layout: "gate-first" })).toEqual({
      gate: Float32Array.of(1, 2),
      up: Float32Array.of(3, 4),
    });
  });
  test("gate-second: torch F.glu, Keras, the article's code", () => {
    expect(unpack(packed, [4], { layout: "gate-second" })).toEqual({
      gate: Float32Array.of(3, 4),
      up: Float32Array.of(1, 2),
    });
  });
  test("interleaved: gpt-oss", () => {
    expect(unpack(packed, [4], { layout: "interleaved" })).toEqual({
      gate: Float32Array.of(1, 3),
      up: Float32Array.of(2, 4),
    });
  });
});

test("pack along each axis of a matrix, as worked out by hand", () => {
  const [gate, up] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)];
  const packed = (layout: PackedLayout, axis: number) => [...pack({ gate, up }, [2, 2], { layout, axis })];
  expect(packed("gate-first", 0)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(packed("gate-first", 1)).toEqual([1, 2, 5, 6, 3, 4, 7, 8]);
  expect(packed("gate-second", -1)).toEqual([5, 6, 1, 2, 7, 8, 3, 4]);
  expect(packed("interleaved", 0)).toEqual([1, 2, 5, 6, 3, 4, 7, 8]);
  expect(packed("interleaved", 1)).toEqual([1, 5, 2, 6, 3, 7, 4, 8]);
});

test("pack and unpack are exact inverses over any shape, axis and layout", () => {
  const cases = fc
    .array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 })
    .chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.integer({ min: -shape.length, max: shape.length - 1 }),
        fc.constantFrom(...layouts),
      ),
    );
  fc.assert(
    fc.property(cases, ([shape, axis, layout]) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const gate = Float32Array.from({ length: count }, (_, i) => i + 1);
      const up = gate.map((value) => -value);
      const options = { layout, axis };
      const packed = pack({ gate, up }, shape, options);
      const doubled = shape.map((size, i) => (i === (axis + shape.length) % shape.length ? 2 * size : size));
      expect(unpack(packed, doubled, options)).toEqual({ gate, up });
      const halves = unpack(packed, doubled, options);
      expect(pack(halves, shape, options)).toEqual(packed);
      expect(new Set(packed).size).toBe(2 * count);
    }),
    { seed: 5, numRuns: 500 },
  );
});

test.each<[string, () => unknown]>([
  ["packed has 3 elements along axis -1", () => unpack(new Float32Array(3), [3], { layout: "gate-first" })],
  [
    "packed has 5 elements, shape [4] has 4",
    () => unpack(new Float32Array(5), [4], { layout: "gate-first" }),
  ],
  [
    "axis is 1, expected a whole number from -1 to 0",
    () => unpack(new Float32Array(4), [4], { layout: "gate-first", axis: 1 }),
  ],
  ["axis is 0.5", () => unpack(new Float32Array(4), [4], { layout: "gate-first", axis: 0.5 })],
  ["shape is [-2], expected", () => unpack(new Float32Array(4), [-2], { layout: "gate-first" })],
  [
    'layout "separate" means two tensors: pass { gate, up }',
    () => unpack(new Float32Array(4), [4], { layout: "separate" as PackedLayout }),
  ],
  [
    "up has 3 elements, shape [2] has 2",
    () => pack({ gate: new Float32Array(2), up: new Float32Array(3) }, [2], { layout: "interleaved" }),
  ],
])("%s", (message, call) => {
  expect(call).toThrow(message);
});
