// Kendall's tau against the published tables of its exact distribution.
import { expect, test } from "vitest";
import { kendall } from "../../src/statistics/inference/kendall.js";

test("exact one-sided p-values of six things, as tabled by Kendall (1970, table 1): S = 15, 13, 11, 9", () => {
  const identity = [1, 2, 3, 4, 5, 6];
  const p = [
    [1, 2, 3, 4, 5, 6],
    [2, 1, 3, 4, 5, 6],
    [2, 1, 3, 4, 6, 5],
    [2, 1, 4, 3, 6, 5],
  ].map((order) => kendall(identity, order).p);
  expect(p.map((each) => each.toFixed(4))).toEqual(["0.0014", "0.0083", "0.0278", "0.0681"]);
});

test("tau counts pairs: the same order, the opposite one, and one exchange of neighbours", () => {
  expect(kendall([1, 2, 3], [10, 20, 30])).toEqual({ concordant: 3, pairs: 3, tau: 1, p: 1 / 6 });
  expect(kendall([1, 2, 3], [3, 2, 1])).toEqual({ concordant: 0, pairs: 3, tau: -1, p: 1 });
  expect(kendall([1, 2, 3, 4], [1, 2, 4, 3]).tau).toBeCloseTo(2 / 3, 12);
});

test("refuses what is level or of another length", () => {
  expect(() => kendall([1, 1], [1, 2])).toThrow(/expected as many of each, two or more, none of them level/);
  expect(() => kendall([1, 2], [1, 2, 3])).toThrow(RangeError);
});
