// Division into parts: whole groups, sensible sizes, and copies that never end up on both sides.
import { describe, expect, test } from "vitest";
import { groupByPassages, partition } from "../../src/data/partition.js";

/** Words that never repeat. */
const prose = (seed: number, words: number): string =>
  Array.from({ length: words }, (_, i) => `w${seed}x${i}`).join(" ");

describe("groups", () => {
  test("texts that share a passage are together, also through a third; others are alone", () => {
    const [a, b, c] = [prose(1, 100), prose(2, 100), prose(3, 100)];
    const texts = [`${a} ${b}`, prose(4, 100), `${b} ${c}`, c, prose(5, 100)];
    expect(groupByPassages(texts, 13, 0.02)).toEqual([0, 1, 0, 0, 4]);
  });

  test("punctuation, case and line ends make no difference", () => {
    const text = prose(1, 50);
    const other = `${text.toUpperCase().replaceAll(" ", ",\n")}!`;
    expect(groupByPassages([text, prose(2, 50), other], 13, 0.5)).toEqual([0, 1, 0]);
  });

  test("a common phrase shorter than a run makes no copy", () => {
    const phrase = "the state of the union is strong";
    const texts = [1, 2].map((seed) => `${prose(seed, 100)} ${phrase} ${prose(seed + 10, 100)}`);
    expect(groupByPassages(texts, 13, 0.02)).toEqual([0, 1]);
  });

  test("texts shorter than a run are compared as a whole", () => {
    expect(groupByPassages(["one two", "one two", "one three"], 13, 0.02)).toEqual([0, 0, 2]);
  });
});

describe("partition", () => {
  const examples = Array.from({ length: 240 }, (_, i) => i);
  const groups = examples.map((i) => Math.floor(i / 2));
  const parts = partition(examples, groups, () => 1)!;

  test("holds back a twelfth each, by size, and loses nothing", () => {
    expect([parts.validation.length, parts.test.length]).toEqual([20, 20]);
    expect([...parts.train, ...parts.validation, ...parts.test].sort((a, b) => a - b)).toEqual(examples);
  });

  test("keeps groups whole and repeats itself", () => {
    for (const part of Object.values(parts)) {
      for (const example of part) expect(part).toContain(example ^ 1);
    }
    expect(partition(examples, groups, () => 1)).toEqual(parts);
  });

  test("needs three groups, and with three gives each part one", () => {
    expect(partition([1, 2, 3], [0, 0, 1], () => 1)).toBeUndefined();
    const three = partition([1, 2, 3], [0, 1, 2], () => 1)!;
    expect(Object.values(three).map(({ length }) => length)).toEqual([1, 1, 1]);
  });
});
