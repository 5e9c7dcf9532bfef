// The configuration of the task of translating.
import type { DataConfig } from "../common/config.js";
import type { TextSettings } from "../common/text.js";

export interface TranslationConfig extends TextSettings {
  readonly task: "translation";
  readonly data: DataConfig;
  /** Translations that the search keeps at a time; 1 is greedy. */
  readonly beam: number;
  /** Pairs of the validation and of the test part that are translated; the losses are over all of them. */
  readonly translated: number;
}
