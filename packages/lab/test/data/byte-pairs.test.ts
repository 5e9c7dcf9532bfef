// Byte-pair encoding against a worked example, against Hugging Face's tokenizers on the exported file, and its limits.
import { Tokenizer as Independent } from "@huggingface/tokenizers";
import { describe, expect, test } from "vitest";
import { learnTokenizer } from "../../src/data/byte-pairs.js";
import { tokenizerJson } from "../../src/data/tokenizer-file.js";

/** The example of Sennrich, Haddow and Birch 2016 with its frequencies; GPT-2's words begin with their space. */
const example = [
  ..." low".repeat(5),
  ..." lower".repeat(2),
  ..." newest".repeat(6),
  ..." widest".repeat(3),
].join("");

const phrases =
  "It's the president's 2nd address: we've 1,234 things to do!  Naïve façades, 日本語 and 👍🏽 emoji\n\n\tend  of\r\nlines. ";
const text = `${phrases.repeat(3)}the address of the president to the house and the senate, of the state of the union.`;

describe("learning", () => {
  test("merges the most frequent pairs first: e s, es t, l o, lo w ...", () => {
    const { merges } = learnTokenizer([example], 256 + 6, []);
    const names = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
    for (const [left, right] of merges) names.push(names[left]! + names[right]!);
    // "es", "st" and "t" before a space all occur 9 times; the smaller tokens win.
    expect(names.slice(256, 259)).toEqual(["es", "est", " l"]);
    expect(names).toContain(" low");
  });

  test("repeats itself, and depends on the text alone", () => {
    expect(learnTokenizer([text], 300, ["<end>"]).merges).toEqual(
      learnTokenizer([text], 300, ["<end>"]).merges,
    );
  });

  test.each([
    [200, /^--vocabulary 200 is too small: the 256 bytes and 1 mark alone are 257\.$/],
    [
      5000,
      /^--vocabulary 5000 is more than the text allows: .* once \d+ are learned\. Choose at most that\.$/,
    ],
  ])("a vocabulary of %i: refused", (vocabulary, message) => {
    expect(() => learnTokenizer([text], vocabulary, ["<end>"])).toThrow(message);
  });

  test("the largest vocabulary that the refusal names is possible", () => {
    try {
      learnTokenizer([text], 5000, []);
      expect.unreachable();
    } catch (thrown) {
      const most = Number(/once (\d+) are/.exec(String(thrown))![1]);
      expect(learnTokenizer([text], most, []).vocabulary).toBe(most);
      expect(() => learnTokenizer([text], most + 1, [])).toThrow();
    }
  });
});

describe("encoding", () => {
  const tokenizer = learnTokenizer([text], 330, ["<|endoftext|>"]);
  const unseen = "Unseen wörds, \u0000 bytes \ud83d\ude00, and\tthe president's address  again 99 \u3000x";

  test.each([text, unseen, " ", "\n", "a"])("decodes to what it encoded: %j", (sample) => {
    const tokens = tokenizer.encode(sample);
    expect(tokenizer.decode(tokens)).toBe(sample);
    expect(tokens.reduce((sum, token) => sum + tokenizer.byteLength(token), 0)).toBe(
      Buffer.byteLength(sample),
    );
    expect(Math.max(...tokens)).toBeLessThan(tokenizer.mark("<|endoftext|>"));
  });

  test("gives the tokens that Hugging Face's tokenizers give for the exported file", () => {
    const independent = new Independent(JSON.parse(tokenizerJson(tokenizer)), {});
    for (const sample of [text, unseen]) {
      expect(tokenizer.encode(sample)).toEqual(independent.encode(sample).ids);
    }
    expect(independent.encode("<|endoftext|>").ids).toEqual([tokenizer.mark("<|endoftext|>")]);
  });

  test("a mark that is not there is an error", () => {
    expect(() => tokenizer.mark("<x>")).toThrow("there is no mark <x>; there are <|endoftext|>");
  });
});
