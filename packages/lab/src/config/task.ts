// What the tasks add to a configuration, and the words that go with each of them.

/** The data of a task, known by its hash. */
interface DataConfig {
  readonly name: string;
  readonly sha256: string;
  /** Images, sequences or pairs, in each part. */
  readonly examples: { readonly train: number; readonly validation: number; readonly test: number };
}

interface ImagesConfig {
  readonly task: "images";
  readonly data: DataConfig & { readonly imageSize: number; readonly classes: number };
  readonly patch: number;
}

interface LanguageConfig {
  readonly task: "language";
  readonly data: DataConfig;
  readonly vocabulary: number;
  readonly context: number;
}

interface TranslationConfig {
  readonly task: "translation";
  readonly data: DataConfig;
  readonly vocabulary: number;
  readonly context: number;
  /** Translations that the search keeps at a time; 1 is greedy. */
  readonly beam: number;
  /** Pairs of the validation and of the test part that are translated; the losses are over all of them. */
  readonly translated: number;
}

export type TaskConfig = ImagesConfig | LanguageConfig | TranslationConfig;

export type TaskKind = TaskConfig["task"];

/** The part of a task that the user chooses: a configuration without its data. */
export type TaskSettings =
  | Omit<ImagesConfig, "data">
  | Omit<LanguageConfig, "data">
  | Omit<TranslationConfig, "data">;

/** What the examples of a task are called. */
export const examplesOf: Readonly<Record<TaskKind, string>> = {
  images: "images",
  language: "sequences",
  translation: "pairs",
};
