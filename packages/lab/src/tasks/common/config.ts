// The part of a configuration that is of a task: its data, and the settings that it has beside those of every training.

/** The data of a task, known by its hash. */
export interface DataConfig {
  readonly name: string;
  readonly sha256: string;
  /** Images, sequences or pairs, in each part. */
  readonly examples: { readonly train: number; readonly validation: number; readonly test: number };
}

/** What the configurations of all tasks have in common. */
export interface TaskConfigBase {
  readonly task: string;
  readonly data: DataConfig;
}

/** The numbers that shape the blocks of the model and its training, whatever the task. */
export interface Training {
  readonly steps: number;
  readonly batch: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
}

/** The settings of a task that the user chooses: a configuration without its name and its data. All are whole numbers from 1. */
export type OwnSettings<C extends TaskConfigBase> = Omit<C, "task" | "data">;

/** The part of a task that the user chooses, with its name. */
export type SettingsOf<C extends TaskConfigBase> = Omit<C, "data">;
