// What the tasks of text have in common: the settings of a byte-pair vocabulary and of a context, and the model's size.
import { count } from "../../words/format.js";
import type { Extent, Setting } from "./definition.js";

export interface TextSettings {
  readonly vocabulary: number;
  readonly context: number;
}

export const textSettings: { readonly [S in keyof TextSettings]: Setting } = {
  vocabulary: { largest: 2 ** 20, help: "text: byte-pair tokens, the 256 bytes among them" },
  context: { largest: 2 ** 14, help: "text: tokens that the network sees" },
};

export const textEnds = ({ vocabulary, context }: TextSettings): TextSettings => ({ vocabulary, context });

/** Embeddings and head hold a row for each token of the vocabulary, and each place has a score for each of them. */
export const textExtent = ({ vocabulary, context }: TextSettings): Extent => ({
  tokens: context,
  rows: 2 * vocabulary,
  perToken: vocabulary,
});

export const textReads = ({ context }: TextSettings): string => `${count(context, "token")} of context`;
