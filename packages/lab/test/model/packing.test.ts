// Packing: every label of a batch is there once, behind its own sequence so far and nothing else, in as few rows as are worth it.
import fc from "fast-check";
import { expect, it } from "vitest";
import { pack, placesOf } from "../../src/model/packing.js";

const CONTEXT = 8;

/** A sequence: its tokens, and from where on they have labels; token and label tell which sequence and place they are of. */
interface Sequence {
  readonly length: number;
  readonly from: number;
}

function batchOf(sequences: readonly Sequence[]) {
  const tokens = new Int32Array(sequences.length * CONTEXT).fill(7777);
  const labels = new Int32Array(sequences.length * CONTEXT).fill(-1);
  sequences.forEach(({ length, from }, s) => {
    for (let i = 0; i < length; i++) {
      tokens[s * CONTEXT + i] = 100 * s + i + 1;
      if (i >= from) labels[s * CONTEXT + i] = 100 * s + i + 2;
    }
  });
  return { tokens, labels };
}

const sequence = fc
  .record({ length: fc.nat(CONTEXT), from: fc.nat(CONTEXT) })
  .map(({ length, from }) => ({ length, from: Math.min(from, length) }));

it("keeps every label, behind the whole of its own sequence", () => {
  fc.assert(
    fc.property(fc.array(sequence, { minLength: 1, maxLength: 20 }), (sequences) => {
      const { tokens, labels } = batchOf(sequences);
      const packed = pack(tokens, labels, CONTEXT);
      if (packed === undefined) return;
      const { rows, feeds, origins } = packed;
      expect(rows).toBeLessThanOrEqual(0.75 * sequences.length);
      for (const name of ["tokens", "positions"] as const) expect(feeds[name]).toHaveLength(rows * CONTEXT);
      for (const name of ["places", "labels"] as const) {
        expect(feeds[name]).toHaveLength(placesOf(rows, CONTEXT));
      }
      const all = Array.from(labels.keys()).filter((i) => labels[i]! >= 0);
      expect(origins.toSorted((a, b) => a - b)).toEqual(all);
      expect(feeds.labels.filter((label) => label >= 0)).toHaveLength(all.length);
      origins.forEach((origin, k) => {
        expect(feeds.labels[k]).toBe(labels[origin]);
        const [place, row] = [Math.floor(feeds.places[k]! / rows), feeds.places[k]! % rows];
        const position = origin % CONTEXT;
        for (let back = 0; back <= position; back++) {
          expect(feeds.tokens[row * CONTEXT + place - back]).toBe(tokens[origin - back]);
          expect(feeds.positions[row * CONTEXT + place - back]).toBe(position - back);
        }
      });
    }),
    { seed: 5, numRuns: 500 },
  );
});

it("puts the longest first, each in the first row that has room", () => {
  const { tokens, labels } = batchOf(
    [3, 8, 5, 2, 3, 0, 0, 0].map((length) => ({ length, from: length - 1 })),
  );
  const packed = pack(tokens, labels, CONTEXT);
  expect(packed?.rows).toBe(3);
  expect(Array.from(packed!.feeds.tokens)).toEqual([
    ...[101, 102, 103, 104, 105, 106, 107, 108],
    ...[201, 202, 203, 204, 205, 1, 2, 3],
    ...[401, 402, 403, 301, 302, 0, 0, 0],
  ]);
});

it("leaves a batch as it is where less than a quarter of its rows would go", () => {
  const lengths = [8, 8, 8, 8, 8, 8, 5, 3].map((length) => ({ length, from: length - 1 }));
  const { tokens, labels } = batchOf(lengths);
  expect(pack(tokens, labels, CONTEXT)).toBeUndefined();
});

it("takes as many rows as half of their places need to hold the labels", () => {
  const { tokens, labels } = batchOf(
    Array.from({ length: 16 }, (_, i) => ({ length: i < 4 ? 8 : 0, from: 0 })),
  );
  expect(pack(tokens, labels, CONTEXT)?.rows).toBe(8);
  const blank = batchOf(Array.from({ length: 16 }, () => ({ length: 0, from: 0 })));
  expect(pack(blank.tokens, blank.labels, CONTEXT)).toMatchObject({ rows: 1, origins: [] });
});
