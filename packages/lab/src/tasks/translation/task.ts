// The task of translating: a source, a mark for the language wanted, and the translation in one sequence, of which only
// the translation counts. A decoder that reads its source as a prefix serves, so that the model is that of the other tasks.
import { basename, resolve } from "node:path";
import { batchesOf } from "../../data/batches.js";
import { learnTokenizer, type Tokenizer, tokensOfVocabulary } from "../../data/byte-pairs.js";
import { compilerMessages, type Pair, readPairs } from "../../data/pairs.js";
import { groupByPassages, partition } from "../../data/partition.js";
import { permutation, stream } from "../../data/random.js";
import { hashOf } from "../../data/text.js";
import { tokenizerJson } from "../../data/tokenizer-file.js";
import { bleu } from "../../metrics/bleu.js";
import { chrf } from "../../metrics/chrf.js";
import { Decoder, type Trainer } from "../../model/index.js";
import { UserError } from "../../system/errors.js";
import { count, grouped } from "../../words/format.js";
import type { OwnSettings } from "../common/config.js";
import type { TaskData, TaskModule } from "../common/definition.js";
import { groupsOfTwo } from "../common/left-out.js";
import type { Sample, Score } from "../common/score.js";
import { checkSequences, evaluateSequences, type Sequences, spread, tokensOf } from "../common/sequences.js";
import type { Batch, Expected, LeftOut, Outcome, Task, TestPart } from "../common/task.js";
import type { TextSettings } from "../common/text.js";
import type { TranslationConfig } from "./config.js";
import { continueAll } from "./search.js";

const END = "<|endoftext|>";
const markOf = (language: string): string => (language === "" ? "<|to|>" : `<|to ${language}|>`);

/**
 * Sources that share half of their runs of this many words stay together. It is two words for the compiler's messages, which are
 * templates that differ in one word; four in files, which may hold many thousand lines.
 */
const PASSAGE_WORDS = { messages: 2, file: 4 };
const PASSAGE_SHARE = 0.5;

/** At most this share of the pairs may be too long for the context. */
const TOO_LONG = 0.05;

/** Sequences that are written side by side. */
const ROWS = 100;

/** Translations that a record keeps for the report. */
const SAMPLES = 8;

type Settings = OwnSettings<TranslationConfig>;

/** What is read of pairs, whatever is asked of them. */
interface PairsData extends TaskData {
  readonly task: "translation";
  readonly pairs: readonly Pair[];
}

/** Reads pairs from a file, the compiler's messages where none is named. Throws a UserError for what holds no pairs. */
function readTranslations(path: string | undefined): PairsData {
  const pairs = path === undefined ? compilerMessages() : readPairs(path);
  const sha256 = hashOf(pairs.flatMap(({ source, target, language }) => [source, target, language]));
  return { task: "translation", path: path && resolve(path), sha256, pairs };
}

/** A part of the data: its pairs as sequences. */
interface Part {
  readonly pairs: readonly Pair[];
  readonly sequences: Sequences;
}

class TranslationTask implements Task<TranslationConfig> {
  readonly config: TranslationConfig;
  readonly path: string | undefined;
  readonly ends: TextSettings;
  readonly testPart: TestPart;
  readonly validationPart: TestPart;
  readonly leftOut: LeftOut;
  readonly introduction: string;
  readonly files: Readonly<Record<string, string>>;
  private readonly settings: Settings;
  private readonly tokenizer: Tokenizer;
  private readonly train: Part;
  private readonly validation: Part;
  private readonly test: Part;

  /**
   * @param lowers whether a vocabulary that the pairs do not allow becomes the largest that they allow
   * @throws UserError for too few pairs, and a context or vocabulary that does not fit them
   */
  constructor(
    { vocabulary: wanted, context, beam, translated }: Settings,
    { pairs, path, sha256 }: PairsData,
    lowers: boolean,
  ) {
    const sources = [...new Set(pairs.map(({ source }) => source))];
    const words = path === undefined ? PASSAGE_WORDS.messages : PASSAGE_WORDS.file;
    const groups = groupByPassages(sources, words, PASSAGE_SHARE);
    const groupOf = new Map(sources.map((source, i) => [source, groups[i]!]));
    const parts = partition(
      pairs,
      pairs.map(({ source }) => groupOf.get(source)!),
      () => 1,
    );
    if (parts === undefined) {
      throw new UserError(
        `${path ?? "the data"} has too few sources that differ, ${new Set(groups).size}: training, validation and test need at least one each.`,
      );
    }
    const languages = [...new Set(pairs.map(({ language }) => language))].sort();
    const texts = parts.train.flatMap(({ source, target }) => [source, target]);
    const tokenizer = learnTokenizer(texts, wanted, [...languages.map(markOf), END], lowers);
    const { vocabulary } = tokenizer;
    const encoded = new Encoder(tokenizer, context);
    this.tokenizer = tokenizer;
    this.train = encoded.part(parts.train);
    this.validation = encoded.part(parts.validation);
    this.test = encoded.part(parts.test);
    encoded.refuseManyTooLong(pairs.length);
    const examples = {
      train: this.train.pairs.length,
      validation: this.validation.pairs.length,
      test: this.test.pairs.length,
    };
    if (Object.values(examples).includes(0)) {
      throw new UserError(
        `--context ${context} leaves a part of the data without a pair: choose a larger one.`,
      );
    }
    const clustered = ({ sequences, pairs }: Part): TestPart => ({
      weights: tokensOf(sequences),
      clusters: Int32Array.from(pairs, ({ source }) => groupOf.get(source)!),
    });
    this.testPart = clustered(this.test);
    this.validationPart = clustered(this.validation);
    this.leftOut = { tooLong: encoded.tooLong, nearCopies: groupsOfTwo(sources, groups) };
    const name = path === undefined ? "TypeScript messages" : basename(path);
    const settings = { vocabulary, context, beam, translated };
    this.settings = settings;
    this.config = { task: "translation", data: { name, sha256, examples }, ...settings };
    this.path = path;
    this.ends = { vocabulary, context };
    this.files = { "tokenizer.json": tokenizerJson(tokenizer) };
    const into = languages.length > 1 ? ` into ${languages.length} languages (${languages.join(", ")})` : "";
    this.introduction =
      `${count(pairs.length, "pair")} from ${count(sources.length, "source")}${into} in ${tokensOfVocabulary(vocabulary, wanted)}: ` +
      `${grouped(examples.train)} to train on, ${grouped(examples.validation)} held back for validation, ${grouped(examples.test)} for the test. ` +
      `Sources that differ by little are in the same part. ${encoded.leftOut}` +
      `chrF and BLEU are over ${grouped(translated)} translated pairs of each part, losses over all.`;
  }

  *batches(seed: number, size: number, from = 0): Generator<Batch, never> {
    const { context } = this.ends;
    const { sequences } = this.train;
    const order = batchesOf(
      Int32Array.from({ length: sequences.count }, (_, i) => i),
      size,
      seed,
    );
    for (let i = 0; i < from; i++) order.next();
    for (;;) {
      const inputs = new Int32Array(size * context);
      const labels = new Int32Array(size * context);
      order.next().value.forEach((pair, i) => {
        const [start, end] = [pair * context, (pair + 1) * context];
        inputs.set(sequences.inputs.subarray(start, end), i * context);
        labels.set(sequences.labels.subarray(start, end), i * context);
      });
      yield { inputs, labels };
    }
  }

  validationBatch(size: number): Batch {
    return spread(this.validation.sequences, size);
  }

  async evaluate(trainer: Trainer): Promise<Outcome> {
    const { vocabulary, context } = this.ends;
    const shape = { ...trainer.shape, vocabulary, context };
    const decoder = new Decoder(trainer.variant, shape, { rows: this.rows, threads: 1 });
    try {
      const validation = await this.evaluatePart(trainer, decoder, this.validation);
      const test = await this.evaluatePart(trainer, decoder, this.test);
      return {
        validation: validation.score,
        test: test.score,
        testLosses: test.losses,
        validationLosses: validation.losses,
        samples: test.translations.slice(0, SAMPLES),
      };
    } finally {
      await decoder.dispose();
    }
  }

  async check(file: string, expected: Expected): Promise<string> {
    const loss = await checkSequences(file, this.test.sequences, expected);
    return `it has the same loss on the first test pairs, ${loss.toFixed(4)} nats per token`;
  }

  private get rows(): number {
    const { beam, translated } = this.settings;
    return beam * Math.max(1, Math.floor(Math.min(ROWS, beam * translated) / beam));
  }

  private async evaluatePart(
    trainer: Trainer,
    decoder: Decoder,
    { pairs, sequences }: Part,
  ): Promise<{ score: Score; losses: Float32Array; translations: Sample[] }> {
    const { loss, losses } = await evaluateSequences(trainer, sequences);
    const { beam, translated } = this.settings;
    const order = permutation(pairs.length, stream(0, "translated pairs")).subarray(0, translated);
    const chosen = Array.from(order, (i) => pairs[i]!);
    const prompts = chosen.map((pair) => promptOf(pair, this.tokenizer));
    const end = this.tokenizer.mark(END);
    const found = await continueAll(decoder, trainer.state.parameters, prompts, { end, beam });
    const outputs = found.map((tokens) => this.tokenizer.decode(tokens).trim());
    const references = chosen.map(({ target }) => target);
    const score = {
      loss,
      chrf: chrf(outputs, references),
      bleu: bleu(
        outputs,
        references.map((reference) => [reference]),
      ),
    };
    const translations = chosen.map(({ source, target }, i) => ({
      source,
      reference: target,
      output: outputs[i]!,
    }));
    return { score, losses, translations };
  }
}

export const translationModule: TaskModule<TranslationConfig, PairsData> = {
  read: readTranslations,
  make: (settings, data, lowers) => new TranslationTask(settings, data, lowers),
};

const promptOf = ({ source, language }: Pair, tokenizer: Tokenizer): number[] => [
  ...tokenizer.encode(source),
  tokenizer.mark(markOf(language)),
];

/** Makes sequences of pairs, and keeps count of those that are too long. */
class Encoder {
  private readonly leftSources: string[] = [];
  private longest = 0;

  constructor(
    private readonly tokenizer: Tokenizer,
    private readonly context: number,
  ) {}

  part(pairs: readonly Pair[]): Part {
    const { tokenizer, context } = this;
    const end = tokenizer.mark(END);
    const rows = pairs.flatMap((pair) => {
      const prompt = promptOf(pair, tokenizer);
      const tokens = [...prompt, ...tokenizer.encode(pair.target), end];
      this.longest = Math.max(this.longest, tokens.length - 1);
      if (tokens.length - 1 <= context) return [{ pair, tokens, from: prompt.length - 1 }];
      this.leftSources.push(pair.source);
      return [];
    });
    const inputs = new Int32Array(rows.length * context);
    const labels = new Int32Array(rows.length * context).fill(-1);
    rows.forEach(({ tokens, from }, i) => {
      inputs.set(tokens.slice(0, -1), i * context);
      labels.set(tokens.slice(from + 1), i * context + from);
    });
    const counted = rows.reduce((sum, { tokens, from }) => sum + tokens.length - 1 - from, 0);
    return {
      pairs: rows.map(({ pair }) => pair),
      sequences: { count: rows.length, context, inputs, labels, tokens: counted },
    };
  }

  /** The sources of the pairs that are missing. */
  get tooLong(): readonly string[] {
    return this.leftSources;
  }

  /** A sentence on the pairs that are missing, or none. */
  get leftOut(): string {
    const { length } = this.leftSources;
    return length === 0
      ? ""
      : `${count(length, "pair")} longer than ${count(this.context, "token")} ${length === 1 ? "is" : "are"} left out. `;
  }

  refuseManyTooLong(total: number): void {
    if (this.leftSources.length <= TOO_LONG * total) return;
    throw new UserError(
      `--context ${this.context} is too short: ${grouped(this.leftSources.length)} of ${count(total, "pair")} are longer, the longest has ` +
        `${count(this.longest, "token")}. Choose a larger context, or a larger --vocabulary, which makes the pairs shorter.`,
    );
  }
}
