// Named sets of options: what the published evidence was made with. A preset is only a way to give options; whatever is given
// beside it counts in its place.
import { UserError } from "../system/errors.js";
import type { PresetData, PresetOptions, StudyPresetOptions } from "./preset-options.js";
import { type StudyPresetName, studyPresets } from "./study-presets.js";

interface Preset {
  readonly options: PresetOptions | StudyPresetOptions;
  readonly data: PresetData;
}

const VARIANTS = ["relu", "gelu", "swish", "glu", "geglu", "swiglu", "swiglu-trained"];
const ARTICLE_VARIANTS = ["swish-trained", "selfGlu", "swigluBlend-trained"];
const METHOD = { activation: [], tuneSeeds: "1001,1002", threads: 1 };
const TRANSLATION = {
  ...METHOD,
  task: "translation",
  variants: VARIANTS,
  batch: 16,
  width: 64,
  depth: 3,
  heads: 4,
  vocabulary: 4096,
  context: 128,
  beam: 1,
  translated: 200,
} as const;

/** The presets by name. Steps: an epoch has 430 of the images, 1,187 of the addresses, 1,553 of the verses,
 * 1,399 of the messages. */
export const presets = {
  "evidence-images": {
    options: {
      ...METHOD,
      tune: "0.001,0.002,0.004",
      task: "images",
      variants: [...VARIANTS, ...ARTICLE_VARIANTS],
      seeds: "10",
      steps: 2580,
      batch: 128,
      width: 64,
      depth: 2,
      heads: 4,
      patch: 7,
    },
    data: {
      name: "Fashion-MNIST",
      sha256: "ca3ab2a37f845e1b8ae23cab1b51749a3011ba3bf1d9016176d75cbaabac376f",
      source:
        "install the Debian package dataset-fashion-mnist, or fetch its four IDX files, and name their folder: --data /usr/share/datasets/fashion-mnist",
    },
  },
  "evidence-language": {
    options: {
      ...METHOD,
      tune: "0.004,0.008,0.016",
      task: "language",
      variants: VARIANTS,
      seeds: "8",
      steps: 1190,
      batch: 16,
      width: 64,
      depth: 4,
      heads: 4,
      vocabulary: 2048,
      context: 128,
    },
    data: {
      name: "State of the Union",
      sha256: "c52a9cfd3fa8e98933b53b766072b332c577fe1e19ec6127772586e67237f6b1",
    },
  },
  "evidence-translation": {
    options: {
      ...TRANSLATION,
      tune: "0.008,0.016,0.032", // messages are learned best at 0.016, by every variant
      seeds: "8",
      steps: 3110,
    },
    data: {
      name: "English-Spanish verses",
      sha256: "dc342ae3d1229157894d680443515098643d324e05604371e0495a484a784d39",
      source:
        "install the Debian packages sword-text-kjv and sword-text-sparv, make them with `node scripts/verses.mjs > verses.tsv` in the lab's repository, and name the file: --data verses.tsv",
    },
  },
  "evidence-messages": {
    options: {
      ...TRANSLATION,
      tune: "0.004,0.008,0.016",
      seeds: "5",
      steps: 1400,
    },
    data: {
      name: "TypeScript messages",
      sha256: "25b7b0d20b39de7da2261f063ee15f9b156623993cf185f402149e6902e28175",
    },
  },
} satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof presets;

const isPreset = (name: string): name is PresetName => Object.hasOwn(presets, name);

export const presetNames = Object.keys(presets).filter(isPreset);

/** The name of a preset, of a comparison or of a study. */
export type AnyPresetName = PresetName | StudyPresetName;

const presetOf = (name: AnyPresetName): Preset => (isPreset(name) ? presets[name] : studyPresets[name]);

export const isStudyPreset = (name: string): name is StudyPresetName => name in studyPresets;

export interface Chosen<T> {
  readonly options: T;
  /** What was given beside the preset and is not what the preset says: "--steps 100 (2580)". */
  readonly differences: readonly string[];
}

/**
 * Options with those of a preset where nothing else was given.
 *
 * @param options all of them, defaults included
 * @param given the names of those that the user gave
 * @throws UserError for another task than the preset's, and for data that is needed and does not come with the lab
 */
export function withPreset<
  T extends Partial<PresetOptions & StudyPresetOptions> & {
    readonly learningRate?: string;
    readonly data?: string;
  },
>(name: AnyPresetName, options: T, given: readonly (keyof T & string)[]): Chosen<T> {
  const preset = presetOf(name);
  const { task } = preset.options;
  if (given.includes("task") && options.task !== task) {
    throw new UserError(`--preset ${name} is of --task ${task}, not ${options.task}: leave --task out.`);
  }
  const { source } = preset.data;
  if (options.data === undefined && source !== undefined) {
    throw new UserError(
      `--preset ${name} needs ${preset.data.name}, which does not come with the lab: ${source}.`,
    );
  }
  const own: Record<string, unknown> = Object.fromEntries(given.map((key) => [key, options[key]]));
  const differences = Object.entries(preset.options).flatMap(([key, value]) =>
    Object.hasOwn(own, key) && `${own[key]}` !== `${value}`
      ? [`--${kebab(key)} ${own[key]} (${`${value}` || "none"})`]
      : [],
  );
  const merged = { ...options, ...preset.options, ...own };
  if (options.learningRate === undefined) return { options: merged, differences };
  const rate = `--learning-rate ${options.learningRate} (in place of --tune ${preset.options.tune})`;
  const { tune, tuneSeeds } = options; // which need not be given, and then are not the preset's
  return { options: { ...merged, tune, tuneSeeds }, differences: [...differences, rate] };
}

/** How the data differs from a preset's, if it does. */
export function otherData(name: AnyPresetName, sha256: string): string[] {
  const { data } = presetOf(name);
  return sha256 === data.sha256
    ? []
    : [`--data (SHA-256 ${sha256.slice(0, 12)}; that of ${data.name} is ${data.sha256.slice(0, 12)})`];
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
