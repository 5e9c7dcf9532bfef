// The configuration of the task of predicting text.
import type { DataConfig } from "../common/config.js";
import type { TextSettings } from "../common/text.js";

export interface LanguageConfig extends TextSettings {
  readonly task: "language";
  readonly data: DataConfig;
}
