// What the report says of the network and of the data, task by task.
import type { Config } from "../config/config.js";
import type { TaskKind } from "../config/task.js";
import { count, grouped } from "../words/format.js";

export const networkOf: Readonly<Record<TaskKind, string>> = {
  images: "vision transformer",
  language: "decoder-only transformer",
  translation: "decoder-only transformer",
};

/** How the network reads the data, and what is kept out of training. */
export function methodOf(config: Config): { network: string; split: string } {
  const { width, depth, heads } = config;
  const size = `(width ${width}, ${count(depth, "block")}, ${count(heads, "head")})`;
  const parts = `${grouped(config.data.examples.validation)} are held back for validation and never trained on`;
  switch (config.task) {
    case "images": {
      const { patch, data } = config;
      return {
        network: `A vision transformer reads each image as ${(data.imageSize / patch) ** 2} patches of ${patch} x ${patch} pixels ${size}.`,
        split:
          "One training image in twelve is held back for validation and never trained on; the test images serve for the figures only, never to choose.",
      };
    }
    case "language":
      return {
        network:
          `A decoder-only transformer predicts every token of a text from up to ${config.context} before it ${size}. ` +
          `Tokens are the ${grouped(config.vocabulary)} of a byte-pair vocabulary that was learned from the training part alone; no text is outside of it.`,
        split:
          `Whole documents are in one part, and so are documents that share passages: ${grouped(config.data.examples.train)} sequences are trained on, ${parts}; ` +
          "the test documents serve for the figures only, never to choose. Every token of them is predicted once.",
      };
    case "translation":
      return {
        network:
          `A decoder-only transformer reads the source and a mark for the language wanted, and goes on with the translation ${size}, ` +
          `up to ${config.context} tokens in all, of a byte-pair vocabulary of ${grouped(config.vocabulary)} that was learned from the training part alone. Only the translation counts in the loss.`,
        split:
          `Pairs whose sources differ by little are in one part: ${grouped(config.data.examples.train)} pairs are trained on, ${parts}; ` +
          `the test pairs serve for the figures only, never to choose. chrF and BLEU are as sacreBLEU defines them, over ${grouped(config.translated)} translated pairs, ` +
          `${config.beam === 1 ? "found greedily" : `found by a beam search of width ${config.beam}`}.`,
      };
  }
}
