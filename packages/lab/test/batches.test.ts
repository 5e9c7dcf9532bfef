// Which images are drawn, in which order: nothing lost, nothing twice in a pass, the same for every variant of a seed.
import { describe, expect, test } from "vitest";
import { batchesOf, gather, holdBack } from "../src/data/batches.js";

const take = (indices: Int32Array, size: number, seed: number, count: number): number[][] => {
  const batches = batchesOf(indices, size, seed);
  return Array.from({ length: count }, () => [...batches.next().value]);
};

describe("the held-back part", () => {
  test("is one image in twelve, and together with the rest every image once", () => {
    const { train, validation } = holdBack(60_000);
    expect(validation.length).toBe(5_000);
    const all = [...train, ...validation].sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 60_000 }, (_, i) => i));
  });

  test("is always the same", () => {
    expect(holdBack(500).validation).toEqual(holdBack(500).validation);
  });
});

describe("batches", () => {
  const indices = Int32Array.from({ length: 10 }, (_, i) => 100 + i);

  test("go through every image once before one comes again, also across the end of a pass", () => {
    const drawn = take(indices, 4, 1, 5).flat();
    expect(drawn.slice(0, 10).sort()).toEqual([...indices]);
    expect(drawn.slice(10, 20).sort()).toEqual([...indices]);
    expect(drawn.slice(0, 10)).not.toEqual(drawn.slice(10, 20));
  });

  test("repeat for a seed and differ between seeds", () => {
    expect(take(indices, 4, 1, 5)).toEqual(take(indices, 4, 1, 5));
    expect(take(indices, 4, 1, 5)).not.toEqual(take(indices, 4, 2, 5));
  });

  test("may be larger than the set", () => {
    expect(take(indices, 25, 1, 1)[0]).toHaveLength(25);
  });
});

test("gather takes pixels to 0 ... 1 and keeps the label with its image", () => {
  const set = {
    count: 3,
    pixels: Uint8Array.from([0, 51, 102, 153, 204, 255]),
    labels: Uint8Array.from([7, 8, 9]),
  };
  const { inputs, labels } = gather(set, Int32Array.from([2, 0]));
  expect([...labels]).toEqual([9, 7]);
  expect([...inputs]).toEqual([204 / 255, 1, 0, 51 / 255].map(Math.fround));
});
