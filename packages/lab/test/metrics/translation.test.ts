// chrF and BLEU against sacreBLEU: the vectors of its own tests, and figures of version 2.6.0 for sentences in many scripts
// (sacrebleu.json; sacrebleu.py beside it made them). Its cases for epsilon smoothing, which it does not use by itself, do not apply.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bleu, tokenize13a } from "../../src/metrics/bleu.js";
import { chrf } from "../../src/metrics/chrf.js";

interface Figures {
  outputs: string[];
  references: string[];
  chrf: number;
  chrf3: number;
  bleu: number;
  sentenceBleu: number[];
  sentenceChrf: number[];
  tokens: string[][];
}
const figures: Figures = JSON.parse(readFileSync(new URL("sacrebleu.json", import.meta.url), "utf8"));
const { outputs, references } = figures;

describe("chrF, beta 3: the cases of sacreBLEU's test_chrf.py", () => {
  test.each<[string[], string[], number]>([
    [["a"], ["a"], 100],
    [[""], ["reference"], 0],
    [["a b c"], ["a b c"], 100],
    [["a b c"], ["abc"], 100],
    [[""], ["c"], 0],
    [["a", "b"], ["a", "c"], 50],
    [["aa"], ["ab"], 25],
    [["abcdefg"], ["hijklmnop"], 0],
    [
      [
        " risk assessment must be made of those who are qualified and expertise in the sector - these are the scientists .",
      ],
      [
        "risk assessment has to be undertaken by those who are qualified and expert in that area - that is the scientists .",
      ],
      63.36173,
    ],
    [
      [" Die    Beziehung zwischen  Obama und Netanjahu ist nicht gerade  freundlich. "],
      ["Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade freundschaftlich."],
      64.1302698,
    ],
  ])("%j", (output, reference, expected) =>
    expect(Math.abs(chrf(output, reference, 3) - expected)).toBeLessThan(1e-4),
  );
});

describe("chrF with sacreBLEU's default, beta 2", () => {
  test("sentences in many scripts, together and one by one", () => {
    expect(chrf(outputs, references)).toBeCloseTo(figures.chrf, 9);
    expect(chrf(outputs, references, 3)).toBeCloseTo(figures.chrf3, 9);
    const single = outputs.map((output, i) => chrf([output], [references[i]!]));
    single.forEach((score, i) => void expect(score).toBeCloseTo(figures.sentenceChrf[i]!, 9));
  });
});

describe("BLEU", () => {
  const hypotheses = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."];
  const two = [
    ["The dog bit the man.", "The dog had bit the man."],
    ["It was not unexpected.", "No one was surprised."],
    ["The man bit him first.", "The man had bitten the dog."],
  ];

  test("test_bleu.py: two references, 13a tokens, exponential smoothing", () => {
    expect(Math.abs(bleu(hypotheses, two) - 48.530827)).toBeLessThan(1e-6);
    expect(bleu(["", "", ""], two)).toBe(0);
  });

  test("test_bleu.py: effective order", () => {
    expect(bleu(["test"], [["a test"]])).toBeCloseTo(36.78794411714425, 8);
    expect(bleu(["a test"], [["a test"]])).toBeCloseTo(100, 8);
    expect(bleu(["a test"], [["a test"]], { effectiveOrder: false })).toBe(0);
  });

  test("sentences in many scripts, together and one by one", () => {
    const lists = references.map((reference) => [reference]);
    expect(bleu(outputs, lists, { effectiveOrder: false })).toBeCloseTo(figures.bleu, 9);
    expect(bleu(outputs, lists)).toBeCloseTo(figures.bleu, 9);
    const single = outputs.map((output, i) => bleu([output], [lists[i]!]));
    single.forEach((score, i) => void expect(score).toBeCloseTo(figures.sentenceBleu[i]!, 9));
  });

  test("13a tokens", () => expect(outputs.map(tokenize13a)).toEqual(figures.tokens));
});
