// The studies of the second edition of docs/method.md: several lengths, or sizes, in place of one number of steps.
import type { PresetData, StudyPresetOptions } from "./preset-options.js";

interface StudyPreset {
  readonly options: StudyPresetOptions;
  readonly data: PresetData;
}

const COUNTED = "101,102,103,104,105,106";
const METHOD = {
  activation: [],
  tuneSeeds: "1001,1002,1003,1004",
  threads: 1,
  batch: 16,
  width: 64,
  heads: 4,
};
const CLAIM = ["swiglu", "swish", "glu"];
const ARTICLE = ["swigluBlend-trained", "selfGlu", "swish-trained"];

const LANGUAGE = { ...METHOD, task: "language", depth: 4, vocabulary: 2048, context: 128 } as const;
const TRANSLATION = { ...METHOD, task: "translation", depth: 3, context: 128, beam: 1 } as const;

const ADDRESSES = {
  name: "State of the Union",
  sha256: "c52a9cfd3fa8e98933b53b766072b332c577fe1e19ec6127772586e67237f6b1",
};

/** The presets by name. */
export const studyPresets = {
  "length-language": {
    options: {
      ...LANGUAGE,
      variants: CLAIM,
      seeds: COUNTED,
      lengths: "0.5,1,2,4",
      tune: "0.008,0.0113,0.016,0.0226",
      tuneLengths: "0.5,2",
    },
    data: ADDRESSES,
  },
  "article-language": {
    options: {
      ...LANGUAGE,
      variants: ARTICLE,
      seeds: COUNTED,
      lengths: "0.5,1",
      tune: "0.008,0.0113,0.016,0.0226",
      tuneLengths: "0.5",
    },
    data: ADDRESSES,
  },
  "size-language": {
    options: {
      ...LANGUAGE,
      variants: CLAIM,
      seeds: "101,102,103,104,105",
      lengths: "0.25,0.5",
      sizes: "32,64,128",
      tune: "0.008,0.0113,0.016,0.0226",
      tuneLengths: "0.25",
    },
    data: ADDRESSES,
  },
  "length-translation": {
    options: {
      ...TRANSLATION,
      variants: CLAIM,
      seeds: COUNTED,
      vocabulary: 4096,
      translated: 200,
      lengths: "1,2,4",
      tune: "0.0057,0.008,0.0113,0.016",
      tuneLengths: "2",
    },
    data: {
      name: "English-Spanish verses",
      sha256: "dc342ae3d1229157894d680443515098643d324e05604371e0495a484a784d39",
      source:
        "install the Debian packages sword-text-kjv and sword-text-sparv, make them with `node scripts/verses.mjs > verses.tsv` in the lab's repository, and name the file: --data verses.tsv",
    },
  },
  spans: {
    options: {
      ...TRANSLATION,
      variants: ["relu", "gelu", "swish", "glu", "bilinear", "geglu", "swiglu", "reglu"],
      seeds: COUNTED,
      vocabulary: 2048,
      translated: 20,
      lengths: "0.35,0.7",
      tune: "0.008,0.0113,0.016,0.0226",
      tuneLengths: "0.35",
    },
    data: {
      name: "spans of the State of the Union",
      sha256: "dc72261d148da2571f0aade09ef12f71c663aa5808310f600bc25afb01244999",
      source:
        "make them with `node scripts/spans.mjs > spans.tsv` in the lab's repository, and name the file: --data spans.tsv",
    },
  },
  "length-images": {
    options: {
      ...METHOD,
      task: "images",
      batch: 128,
      depth: 2,
      patch: 7,
      variants: ["swiglu", "swish", "glu", ...ARTICLE, "relu"],
      seeds: `${COUNTED},107,108`,
      lengths: "1,3,6",
      tune: "0.00141,0.002,0.00283",
      tuneLengths: "3",
    },
    data: {
      name: "Fashion-MNIST",
      sha256: "ca3ab2a37f845e1b8ae23cab1b51749a3011ba3bf1d9016176d75cbaabac376f",
      source:
        "install the Debian package dataset-fashion-mnist, or fetch its four IDX files, and name their folder: --data /usr/share/datasets/fashion-mnist",
    },
  },
} satisfies Readonly<Record<string, StudyPreset>>;

export type StudyPresetName = keyof typeof studyPresets;

export const studyPresetNames = Object.keys(studyPresets) as StudyPresetName[];
