// The task of predicting text, token by token, in figures and words.
import { grouped } from "../../words/format.js";
import type { TaskDefinition } from "../common/definition.js";
import { loss, type Metric, tokenLoss } from "../common/score.js";
import { textEnds, textExtent, textReads, textSettings } from "../common/text.js";
import type { LanguageConfig } from "./config.js";

const perplexity: Metric = {
  ...loss,
  name: "perplexity",
  unit: "",
  axis: "",
  of: (score) => Math.exp(score.loss),
  digits: 2,
};

const bitsPerByte: Metric = {
  ...loss,
  name: "bits per byte",
  unit: "bits per byte",
  axis: "bits",
  of: (score) => score.bitsPerByte ?? Number.NaN,
};

export const language: TaskDefinition<LanguageConfig> = {
  kind: "language",
  examples: "sequences",
  data: "a text file, or a folder of .txt and .md files (default: State of the Union addresses)",
  network: "decoder-only transformer",
  beyond: "",
  defaults: { steps: 400, batch: 16, width: 64, depth: 2, heads: 4, vocabulary: 1024, context: 64 },
  settings: textSettings,
  dataSizes: {},
  metrics: [tokenLoss, perplexity, bitsPerByte],
  figures: { bitsPerByte: 2 ** 128 },
  headline: undefined,
  ends: textEnds,
  extent: textExtent,
  misfit: () => undefined,
  reads: textReads,
  method: ({ context, vocabulary, data }, size, heldBack) => ({
    network:
      `A decoder-only transformer predicts every token of a text from up to ${context} before it ${size}. ` +
      `Tokens are the ${grouped(vocabulary)} of a byte-pair vocabulary that was learned from the training part alone; no text is outside of it.`,
    split:
      `Whole documents are in one part, and so are documents that share passages: ${grouped(data.examples.train)} sequences are trained on, ${heldBack}; ` +
      "the test documents serve for the figures only, never to choose. Every token of them is predicted once.",
  }),
  lossesOnly: (config) => config,
  load: async () => (await import("./task.js")).languageModule,
};
