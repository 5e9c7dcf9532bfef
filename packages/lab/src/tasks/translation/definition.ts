// The task of translating, in figures and words.
import { grouped } from "../../words/format.js";
import type { TaskDefinition } from "../common/definition.js";
import { type Metric, tokenLoss } from "../common/score.js";
import { textEnds, textExtent, textReads, textSettings } from "../common/text.js";
import type { TranslationConfig } from "./config.js";

const chrf: Metric = {
  name: "chrF",
  unit: "points of chrF",
  axis: "",
  higherIsBetter: true,
  of: (score) => score.chrf ?? Number.NaN,
  scale: 1,
  digits: 2,
  margin: () => 0.5,
};

const bleu: Metric = {
  ...chrf,
  name: "BLEU",
  unit: "points of BLEU",
  of: (score) => score.bleu ?? Number.NaN,
};

/** The largest chrF or BLEU: rounding may go beyond 100. */
const LARGEST_SCORE = 100.001;

export const translation: TaskDefinition<TranslationConfig> = {
  kind: "translation",
  examples: "pairs",
  data:
    "a file with a source, a tab and a target on each line " +
    "(default: the TypeScript compiler's messages in 13 languages)",
  network: "decoder-only transformer",
  beyond: "",
  defaults: {
    steps: 600,
    batch: 16,
    width: 64,
    depth: 2,
    heads: 4,
    vocabulary: 2048,
    context: 128,
    beam: 1,
    translated: 100,
  },
  settings: {
    ...textSettings,
    beam: { largest: 2 ** 10, help: "translation: candidates that the search keeps; 1 is greedy" },
    translated: {
      largest: 2 ** 20,
      help: "translation: pairs of each part that chrF and BLEU are over",
    },
  },
  dataSizes: {},
  metrics: [tokenLoss, chrf, bleu],
  figures: { chrf: LARGEST_SCORE, bleu: LARGEST_SCORE },
  headline: chrf,
  ends: textEnds,
  extent: textExtent,
  misfit: () => undefined,
  reads: textReads,
  method: ({ context, vocabulary, beam, translated, data }, size, heldBack) => ({
    network:
      `A decoder-only transformer reads the source and a mark for the language wanted, and goes on with the translation ${size}, ` +
      `up to ${context} tokens in all, of a byte-pair vocabulary of ${grouped(vocabulary)} that was learned from the training part alone. Only the translation counts in the loss.`,
    split:
      `Pairs whose sources differ by little are in one part: ${grouped(data.examples.train)} pairs are trained on, ${heldBack}; ` +
      `the test pairs serve for the figures only, never to choose. chrF and BLEU are as sacreBLEU defines them, over ${grouped(translated)} translated pairs, ` +
      `${beam === 1 ? "found greedily" : `found by a beam search of width ${beam}`}.`,
  }),
  lossesOnly: (config) => ({ ...config, beam: 1, translated: 1 }),
  load: async () => (await import("./task.js")).translationModule,
};
