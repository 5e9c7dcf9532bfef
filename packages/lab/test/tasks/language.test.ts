// Language modelling from text files to a finished sweep: parts, batches, figures against their definitions, mistakes.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { activations } from "swiglu";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDocuments } from "../../src/data/text.js";
import { Trainer } from "../../src/model/index.js";
import { isRunRecord, lossesOfText } from "../../src/records/record.js";
import { loadTask } from "../../src/tasks/load.js";
import { runCli } from "../cli.js";
import { wholeAndResumed } from "./resumed.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-language-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const folder = join(scratch, "stories");
const words = "the a cat dog bird sees hears likes small old green house tree river and".split(" ");

/** Sentences of a few words that a small model can learn something about. */
function story(seed: number): string {
  let state = seed;
  const next = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const sentence = (): string =>
    `The ${words[2 + next(3)]} ${words[5 + next(3)]} the ${words[8 + next(3)]} ${words[11 + next(3)]}.`;
  return `${Array.from({ length: 40 }, sentence).join(" ")}\n`;
}

beforeAll(() => {
  mkdirSync(folder);
  for (let i = 0; i < 30; i++) writeFileSync(join(folder, `${i}.txt`), story(i + 1));
});

describe("the task", () => {
  const settings = { task: "language", vocabulary: 280, context: 16 } as const;

  test("batches hold the training text: each label is the next input, and a seed repeats itself", async () => {
    const task = await loadTask(settings, folder);
    const [first, second] = [task.batches(1, 4), task.batches(1, 4)];
    const { inputs, labels } = first.next().value;
    expect([inputs.length, labels.length]).toEqual([64, 64]);
    for (let i = 0; i < 64; i++) if (i % 16 < 15) expect(labels[i]).toBe(inputs[i + 1]);
    expect(second.next().value).toEqual({ inputs, labels });
    expect(task.batches(1, 4, 1).next().value).toEqual(first.next().value);
    expect(task.batches(2, 4).next().value).not.toEqual({ inputs, labels });
  });

  test("loss and bits per byte are those of an untrained model that gives every token the same chance", async () => {
    const task = await loadTask(settings, folder);
    const variant = { name: "relu", activation: activations.relu, trained: false };
    const shape = { vocabulary: 280, context: 16, width: 8, depth: 1, heads: 2, hidden: 32 };
    const options = { batch: 4, weightDecay: 0, clipNorm: 1, threads: 1 };
    const trainer = await Trainer.create(variant, shape, options); // all parameters are zero
    const { validation, test: score, testLosses } = await task.evaluate(trainer);
    await trainer.dispose();
    expect(validation.loss).toBeCloseTo(Math.log(280), 5);
    expect(score.loss).toBeCloseTo(Math.log(280), 5);
    const tokens = testLosses.reduce((a, b) => a + b, 0) / Math.log(280);
    const { weights, clusters } = task.testPart;
    expect([...weights]).toEqual(Array.from(testLosses, (loss) => Math.round(loss / Math.log(280))));
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(tokens, 2);
    expect([...clusters]).toEqual([...clusters].sort((a, b) => a - b)); // whole documents, one after the other
    expect(new Set(clusters).size).toBeGreaterThan(1);
    const bytes = (tokens * Math.log2(280)) / score.bitsPerByte!;
    // The test documents, about a twelfth of all, each byte counted once.
    const sizes = readdirSync(folder).map((name) => readFileSync(join(folder, name)).length);
    const all = sizes.reduce((a, b) => a + b, 0);
    expect(bytes).toBeGreaterThan(all / 12);
    expect(bytes).toBeLessThan(all / 12 + 2 * Math.max(...sizes));
    expect(bytes).toBeCloseTo(Math.round(bytes), 0);
  });

  test("a run that goes on from its middle ends bit for bit as one that was never interrupted", async () => {
    const { whole, resumed } = await wholeAndResumed(await loadTask(settings, folder));
    expect(resumed).toEqual(whole);
    expect(whole.record.validationCurve.map(({ step }) => step)).toEqual([
      2, 4, 6, 8, 10, 12, 14, 16, 18, 20,
    ]);
    expect(whole.record.cpuSeconds).toBeGreaterThan(0);
  });

  test("a single file is cut into pieces, of which each part gets some", async () => {
    const file = join(scratch, "novel.txt");
    writeFileSync(file, Array.from({ length: 30 }, (_, i) => story(100 + i)).join(""));
    const { examples } = (await loadTask(settings, file)).config.data;
    expect(examples.validation).toBeGreaterThan(0.05 * examples.train);
    expect(examples.test).toBeGreaterThan(0.05 * examples.train);
  });

  test("a text without spaces is cut between characters, never inside one", () => {
    for (const before of ["", "a", "ab"]) {
      const text = before + "\u{1f600}\u{20000}".repeat(1000);
      const file = join(scratch, "emoji.txt");
      writeFileSync(file, text);
      const pieces = readDocuments(file).map((document) => document.text);
      expect(pieces.length).toBeGreaterThan(24);
      expect(pieces.filter((piece) => /\p{Surrogate}/u.test(piece))).toEqual([]);
      expect(pieces.join("")).toBe(text);
    }
  });

  test("a small text lowers the vocabulary that nobody asked for, and says so; the same one may be asked for", async () => {
    const small = { ...settings, vocabulary: 1024 };
    await expect(loadTask(small, folder)).rejects.toThrow(/--vocabulary 1024 is more than the text allows/);
    const task = await loadTask(small, folder, true);
    if (task.config.task !== "language") throw new Error("another task");
    const { vocabulary } = task.config;
    expect(vocabulary).toBeLessThan(1024);
    expect(task.ends).toEqual({ vocabulary, context: 16 });
    expect(task.introduction).toContain(
      `in ${vocabulary} tokens (as many as the text allows, in place of 1,024): `,
    );
    const asked = await loadTask({ ...small, vocabulary }, folder);
    expect(asked.config).toEqual(task.config);
    expect(asked.introduction).toContain(`in ${vocabulary} tokens: `);
    expect((await loadTask(settings, folder, true)).config).toEqual(
      (await loadTask(settings, folder)).config,
    );
  });

  test("a copy under another name is in the same part", async () => {
    const copies = join(scratch, "copies");
    mkdirSync(copies);
    for (let i = 0; i < 26; i++) writeFileSync(join(copies, `${i}.txt`), story(1));
    await expect(loadTask(settings, copies)).rejects.toThrow(
      /has too few documents that share no passages, 1:/,
    );
  });
});

test("a sweep ranks by loss, reports perplexity and bits per byte, and exports a model with its tokenizer", async () => {
  const args = [
    "--task",
    "language",
    "--data",
    folder,
    "--vocabulary",
    "280",
    "--context",
    "16",
    "--width",
    "8",
  ];
  const size = ["--depth", "1", "--heads", "2", "--batch", "8", "--steps", "60", "--jobs", "1"];
  const variants = ["--variants", "relu,swiglu-trained", "--seeds", "3"];
  const { code, stdout, stderr } = await runCli(["compare", ...args, ...size, ...variants], scratch);
  expect([code, stderr]).toEqual([0, ""]);
  for (const text of [
    "Ranking, by mean test loss",
    "nats per token against relu",
    "perplexity",
    "bits per byte",
  ]) {
    expect(stdout).toContain(text);
  }
  expect(stdout).toMatch(/has the lowest mean test loss/);
  expect(stdout).toMatch(/loaded again, it has the same loss on the first test sequences/);
  const run = join(scratch, "runs", readdirSync(join(scratch, "runs"))[0]!);
  expect(readdirSync(run).sort()).toEqual(
    ["best.onnx", "config.json", "records", "report.html", "results.json", "tokenizer.json"].sort(),
  );
  const record: unknown = JSON.parse(readFileSync(join(run, "records", "relu-1.json"), "utf8"));
  if (!isRunRecord(record) || record.status !== "finished") throw new Error("not finished");
  expect(record.test.loss).toBeLessThan(Math.log(280) - 1); // it has learned
  const { summary } = JSON.parse(readFileSync(join(run, "results.json"), "utf8"));
  const [best, worse] = summary.ranking;
  expect(best.test.metric.mean).toBeLessThanOrEqual(worse.test.metric.mean);
  expect(lossesOfText(record.testLosses).every((loss) => loss > 0)).toBe(true);
  expect(readFileSync(join(run, "report.html"), "utf8")).not.toMatch(/NaN|undefined|accuracy/);
});

describe("mistakes get one sentence and leave nothing", () => {
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(scratch, name), content);
    return join(scratch, name);
  };
  test.each<[string, () => string[], RegExp]>([
    ["an empty file", () => ["--data", file("empty.txt", " \n")], /empty\.txt is empty: --data takes/],
    [
      "a binary file",
      () => ["--data", file("image.bin", Uint8Array.of(65, 0, 66))],
      /is not text: byte 1 is zero/,
    ],
    ["no UTF-8", () => ["--data", file("latin.txt", Uint8Array.of(99, 0xe9, 99))], /is not text in UTF-8/],
    [
      "a folder without text",
      () => ["--data", mkdtempSync(join(scratch, "none-"))],
      /holds no \.txt or \.md file/,
    ],
    [
      "no file",
      () => ["--data", join(scratch, "nothing")],
      /nothing could not be read: it is not there\.\n$/,
    ],
    [
      "too little text",
      () => ["--data", file("short.txt", "one two")],
      /--context 64 is longer than the training text/,
    ],
    [
      "too little text for the vocabulary that is asked for",
      () => ["--data", file("short.txt", "one two"), "--vocabulary", "1024"],
      /--vocabulary 1024 is more than the text allows/,
    ],
    [
      "more than a text can hold",
      () => {
        const long = file("long.txt", "");
        truncateSync(long, 520 * 2 ** 20);
        return ["--data", long];
      },
      /^error: .*long\.txt has 545,259,520 bytes: a text can have at most 536,870,888 here\. Split it.*\n$/,
    ],
    [
      "a folder that may not be read, or a link to nothing in it, in words",
      () => {
        const links = mkdtempSync(join(scratch, "links-"));
        symlinkSync(join(links, "nowhere"), join(links, "a.txt"));
        symlinkSync(join(links, "b.txt"), join(links, "b.txt"));
        return ["--data", links];
      },
      /^error: --data .* could not be read: its links go in a circle\.\n$/,
    ],
    [
      "a context too long",
      () => ["--data", folder, "--vocabulary", "280", "--context", "99999"],
      /--context 99999 is longer than the training text, which has [\d,]+ tokens/,
    ],
    [
      "a vocabulary too large",
      () => ["--data", folder, "--vocabulary", "9999"],
      /--vocabulary 9999 is more than the text allows/,
    ],
    [
      "a vocabulary too small",
      () => ["--data", folder, "--vocabulary", "10"],
      /--vocabulary 10 is too small/,
    ],
    [
      "an option of images",
      () => ["--data", folder, "--patch", "7"],
      /--patch is not an option of --task language, but of --task images/,
    ],
    [
      "an unknown task",
      () => ["--task", "speech"],
      /argument 'speech' is invalid\. Allowed choices are images, language/,
    ],
  ])("%s", async (_, args, message) => {
    const out = join(scratch, "mistakes");
    const { code, stdout, stderr } = await runCli(
      ["compare", "--task", "language", "--out", out, ...args()],
      scratch,
    );
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
    expect([code, stdout, existsSync(out)]).toEqual([1, "", false]);
  });
});
