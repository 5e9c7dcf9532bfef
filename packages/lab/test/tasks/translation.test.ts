// Translation from pairs to a finished sweep: parts without near-copies, sequences, search, figures, mistakes.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { activations } from "swiglu";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compilerMessages, readPairs } from "../../src/data/pairs.js";
import { groupByPassages } from "../../src/data/partition.js";
import { Decoder, pack, Trainer, type Variant } from "../../src/model/index.js";
import { isRunRecord } from "../../src/records/record.js";
import { loadTask } from "../../src/tasks/load.js";
import { continueAll } from "../../src/tasks/translation/search.js";
import { runCli } from "../cli.js";
import { wholeAndResumed } from "./resumed.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-translation-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const file = join(scratch, "pairs.tsv");
const variant: Variant = { name: "swiglu", activation: activations.swiglu, trained: false };
const options = { batch: 16, weightDecay: 0, clipNorm: 1, threads: 1 };

/** Sources of four letters; a target has them in capitals, backwards for the language "r". */
beforeAll(() => {
  const letters = "abcdef";
  const lines: string[] = [];
  for (let i = 0; i < 360; i++) {
    const word = [i, i * 7 + 3, i * 5 + 1, Math.floor(i / 6)].map((k) => letters[k % 6]).join("");
    lines.push(
      `${word}${i}\t${word.toUpperCase()}\tu`,
      `${word}${i}\t${[...word.toUpperCase()].reverse().join("")}\tr`,
    );
  }
  writeFileSync(file, `${lines.join("\n")}\n`);
});

const settings = { task: "translation", vocabulary: 280, context: 24, beam: 1, translated: 10 } as const;

describe("pairs", () => {
  test("the compiler's messages: 2,118 in each of 13 languages", () => {
    const pairs = compilerMessages();
    const languages = new Set(pairs.map(({ language }) => language));
    expect([pairs.length, languages.size]).toEqual([13 * 2118, 13]);
    expect(pairs).toContainEqual({
      source: "Unterminated string literal.",
      target: "Nicht abgeschlossenes Zeichenfolgenliteral.",
      language: "de",
    });
  });

  test("templates that differ in a word are one group", () => {
    const groups = groupByPassages(
      [
        "Type parameter '{0}' of exported class has or is using private name '{1}'.",
        "Type parameter '{0}' of exported interface has or is using private name '{1}'.",
        "Unterminated string literal.",
      ],
      2,
      0.5,
    );
    expect(groups).toEqual([0, 0, 2]);
  });

  test("a file may name the language of each line, or none", () => {
    expect(readPairs(file)[1]).toEqual({
      source: "adba0",
      target: "ABDA",
      language: "r",
    });
  });
});

describe("the task", () => {
  test("no source is in two parts, in whatever language", async () => {
    const task = await loadTask(settings, file);
    const { train, validation, test: held } = task.config.data.examples;
    expect(train + validation + held).toBe(720);
    expect([validation % 2, held % 2]).toEqual([0, 0]); // both languages of a source
    expect(validation).toBeGreaterThanOrEqual(60);
    const { weights, clusters } = task.testPart;
    expect([weights.length, clusters.length]).toEqual([held, held]);
    expect(Math.min(...weights)).toBeGreaterThan(1); // a letter and the end at least
    for (const cluster of clusters) {
      expect(clusters.filter((other) => other === cluster).length % 2).toBe(0); // both languages of a source
    }
  });

  test("only the translation and its end count in the loss", async () => {
    const task = await loadTask(settings, file);
    const { inputs, labels } = task.batches(1, 8).next().value;
    for (let row = 0; row < 8; row++) {
      const counted = [...labels.subarray(24 * row, 24 * row + 24)];
      const first = counted.findIndex((label) => label >= 0);
      const last = counted.findLastIndex((label) => label >= 0);
      expect(inputs[24 * row + first]).toBeGreaterThanOrEqual(277); // a mark of a language, 277 or 278
      expect(counted[last]).toBe(279); // the end
      for (let i = first; i < last; i++) expect(inputs[24 * row + i + 1]).toBe(counted[i]);
      expect(counted.slice(first, last).every((label) => label >= 0)).toBe(true);
    }
    expect(task.batches(1, 8, 2).next().value).toEqual(
      (() => {
        const batches = task.batches(1, 8);
        batches.next();
        batches.next();
        return batches.next().value;
      })(),
    );
  });
});

test("a run in batches of several sizes goes on from its middle, and ends bit for bit as one that was never interrupted", async () => {
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  const uneven = join(scratch, "uneven.tsv");
  // Every other source is five times as long, so that not all batches fit in as many rows.
  const longer = lines.map((line, i) => (i % 4 < 2 ? line : line.replace(/^\S+/, "$& $& $& $& $&")));
  writeFileSync(uneven, `${longer.join("\n")}\n`);
  const task = await loadTask({ ...settings, context: 40 }, uneven);
  const batches = task.batches(1, 4);
  const rows = Array.from({ length: 20 }, () => {
    const { inputs, labels } = batches.next().value;
    return pack(Int32Array.from(inputs), labels, 40)?.rows ?? 4;
  });
  expect(new Set(rows).size).toBeGreaterThan(1);
  const { whole, resumed } = await wholeAndResumed(task);
  expect(resumed).toEqual(whole);
});

describe("search", () => {
  const shape = { vocabulary: 5, context: 6, width: 8, depth: 1, heads: 2, hidden: 5 };
  const end = 4;

  /** All continuations by trying them: the most likely one for its length among those that end. */
  async function exhaustive(decoder: Decoder, parameters: Float32Array, prompt: readonly number[]) {
    const all: { tokens: number[]; score: number }[] = [];
    const scoresAfter = async (tokens: readonly number[]): Promise<Float32Array> => {
      decoder.restart();
      let scores = new Float32Array();
      for (const token of tokens) {
        const row = new Int32Array(decoder.rows).fill(token);
        scores = Float32Array.from(await decoder.next(parameters, row, new Int32Array(decoder.rows)));
      }
      return scores.slice(0, 5);
    };
    const extend = async (tokens: number[], score: number): Promise<void> => {
      if (prompt.length + tokens.length > shape.context) return;
      const scores = await scoresAfter([...prompt, ...tokens]);
      all.push({ tokens, score: (score + scores[end]!) / (tokens.length + 1) });
      for (let token = 0; token < end; token++) await extend([...tokens, token], score + scores[token]!);
    };
    await extend([], 0);
    return all.sort((a, b) => b.score - a.score)[0]!.tokens;
  }

  test("a beam as wide as all that is possible finds the best; a beam of one takes the likeliest token each time", async () => {
    const trainer = await Trainer.create(variant, shape, options);
    trainer.initialise(2);
    // Twice the weights of the head: then some tokens are much likelier than others.
    const parameters = trainer.state.parameters.map((value) => 1.5 * value);
    const prompts = [
      [0, 1, 2],
      [3, 3],
      [1, 0, 0, 2],
    ];
    const wide = new Decoder(variant, shape, { rows: 600, threads: 1 });
    const found = await continueAll(wide, parameters, prompts, { end, beam: 300 });
    const single = new Decoder(variant, shape, { rows: 1, threads: 1 });
    for (const [i, prompt] of prompts.entries()) {
      expect(found[i]).toEqual(await exhaustive(single, parameters, prompt));
    }
    const greedy = await continueAll(single, parameters, prompts, { end, beam: 1 });
    for (const [i, prompt] of prompts.entries()) {
      single.restart();
      const tokens: number[] = [];
      for (let place = 0; place < shape.context; place++) {
        const token = prompt[place] ?? tokens[place - prompt.length]!;
        if (token === end) break;
        const scores = await single.next(parameters, Int32Array.of(token), new Int32Array(1));
        if (place + 1 >= prompt.length) tokens.push(scores.indexOf(Math.max(...scores)));
      }
      expect(greedy[i]).toEqual(tokens.filter((token) => token !== end));
    }
    await Promise.all([wide.dispose(), single.dispose(), trainer.dispose()]);
  });
});

test("a sweep learns to translate, ranks by chrF, and shows translations in the report", async () => {
  const size = ["--vocabulary", "280", "--context", "24", "--width", "32", "--depth", "2", "--heads", "2"];
  const training = ["--batch", "32", "--steps", "300", "--variants", "swiglu", "--seeds", "1", "--beam", "2"];
  const args = [
    "compare",
    "--task",
    "translation",
    "--data",
    file,
    ...size,
    ...training,
    "--translated",
    "20",
  ];
  const { code, stdout, stderr } = await runCli(args, scratch);
  expect([code, stderr]).toEqual([0, ""]);
  for (const text of ["Ranking, by mean test loss", "chrF", "BLEU", "lowest mean test loss"])
    expect(stdout).toContain(text);
  const run = join(scratch, "runs", readdirSync(join(scratch, "runs"))[0]!);
  const record: unknown = JSON.parse(readFileSync(join(run, "records", "swiglu-1.json"), "utf8"));
  if (!isRunRecord(record) || record.status !== "finished") throw new Error("not finished");
  expect(record.test.chrf).toBeGreaterThan(50);
  expect(record.samples).toHaveLength(8);
  const page = readFileSync(join(run, "report.html"), "utf8");
  for (const { reference, output } of record.samples!) {
    expect(page).toContain(reference);
    expect(page).toContain(output);
  }
  expect(page).not.toMatch(/NaN|undefined|accuracy/);
});

describe("mistakes get one sentence and leave nothing", () => {
  const tsv = (name: string, content: string): string => {
    writeFileSync(join(scratch, name), content);
    return join(scratch, name);
  };
  const many = Array.from({ length: 40 }, (_, i) => `word${i} x${i}\tWORT${i}`).join("\n");
  test.each<[string, () => string[], RegExp]>([
    [
      "a missing target",
      () => ["--data", tsv("a.tsv", `${many}\nhello\t\n`)],
      /a\.tsv, line 41 lacks its target: each line is a source, a tab and a target/,
    ],
    [
      "a missing source",
      () => ["--data", tsv("b.tsv", `\thallo\n${many}`)],
      /b\.tsv, line 1 lacks its source/,
    ],
    ["no tab", () => ["--data", tsv("c.tsv", "just text\n")], /c\.tsv, line 1 lacks its target/],
    [
      "a language on some lines only",
      () => ["--data", tsv("d.tsv", `${many}\nx\ty\tde\n`)],
      /d\.tsv, line 41 has 3 columns, expected 2/,
    ],
    ["few pairs", () => ["--data", tsv("e.tsv", "a\tb\n")], /e\.tsv has 1 pair: at least 36/],
    ["an empty file", () => ["--data", tsv("f.tsv", "\n")], /f\.tsv is empty/],
    [
      "one source only",
      () => ["--data", tsv("g.tsv", `${"same\tgleich\n".repeat(40)}`)],
      /too few sources that differ, 1/,
    ],
    [
      "pairs longer than the context",
      () => ["--data", file, "--vocabulary", "280", "--context", "6"],
      /--context 6 is too short: \d+ of 720 pairs are longer, the longest has \d+ tokens/,
    ],
    [
      "an option of another task",
      () => ["--data", file, "--patch", "2"],
      /--patch is not an option of --task translation/,
    ],
  ])("%s", async (_, args, message) => {
    const out = join(scratch, "mistakes");
    const { code, stdout, stderr } = await runCli(
      ["compare", "--task", "translation", "--out", out, ...args()],
      scratch,
    );
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
    expect([code, stdout, existsSync(out)]).toEqual([1, "", false]);
  });
});
