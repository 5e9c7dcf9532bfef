// What a task says of itself without reading any data: its configuration, defaults, bounds, metrics and words. The rest
// of the lab asks the registry for it, so that a new task is a folder with such a definition and a row in the registry.
import type { EndsShape } from "../../model/types.js";
import type { DataConfig, OwnSettings, SettingsOf, TaskConfigBase, Training } from "./config.js";
import type { Metric } from "./score.js";
import type { Task } from "./task.js";

/** A setting of one task or of several. */
export interface Setting {
  /** The largest that a configuration may have. */
  readonly largest: number;
  /** What `--help` says before the default. */
  readonly help: string;
}

/** How large the model and the tensors of a configuration are. */
export interface Extent {
  /** Tokens of an example. */
  readonly tokens: number;
  /** Rows of the width that the ends of the model hold: what embeds, and the head. */
  readonly rows: number;
  /** The largest tensor of a token beside those of the blocks; 0 where there is none. */
  readonly perToken: number;
}

/** What is read of a task's data, whatever is asked of it; equal data have equal hashes. */
export interface TaskData {
  readonly task: string;
  readonly path: string | undefined;
  readonly sha256: string;
}

/** The part of a task that reads data and measures models; it is loaded when it is needed. */
export interface TaskModule<C extends TaskConfigBase = TaskConfigBase, D extends TaskData = TaskData> {
  /**
   * Reads the data. What fails here is the fault of files, or of the machine that lacks them.
   *
   * @param path a file or folder; the data that comes with the lab when left out
   * @throws UserError for data that cannot be read or used
   */
  read(path: string | undefined): D;

  /**
   * Prepares the task. What fails here is the fault of the settings.
   *
   * @param lowers whether a vocabulary that the data do not allow becomes the largest that they allow
   * @throws UserError for settings that do not fit the data
   */
  make(settings: SettingsOf<C>, data: D, lowers: boolean): Task<C>;
}

export interface TaskDefinition<C extends TaskConfigBase = TaskConfigBase> {
  readonly kind: C["task"];
  /** What the examples are called. */
  readonly examples: string;
  /** What `--help` says of `--data`. */
  readonly data: string;
  /** The network in words. */
  readonly network: string;
  /** What a run of one data set cannot speak of, after "or on other data". */
  readonly beyond: string;
  /** Sizes at which a run takes seconds to tens of seconds; an option that is not here does not belong to the task. */
  readonly defaults: Training & OwnSettings<C>;
  readonly settings: { readonly [S in keyof OwnSettings<C>]: Setting };
  /** The largest of each number that the configuration says of the data beside the numbers of examples. */
  readonly dataSizes: { readonly [S in Exclude<keyof C["data"], keyof DataConfig>]: number };
  /** What the variants are ranked and compared by: the loss, the primary outcome; then the secondary ones beside it. */
  readonly metrics: readonly [Metric, ...Metric[]];
  /** The figures that a score has beside its loss, each with its largest value. */
  readonly figures: Readonly<Record<string, number>>;
  /** The metric that says most of a single score; undefined where that is the loss. */
  readonly headline: Metric | undefined;

  /** The shape of the model without its blocks. */
  ends(config: C): EndsShape;
  extent(config: C): Extent;
  /** What does not go together in the settings and the data, as "patch: ..."; undefined where all does. */
  misfit(config: C): string | undefined;
  /** What the network reads: "64 tokens of context". */
  reads(config: C): string;

  /**
   * How the network reads the data, and what is kept out of training.
   *
   * @param size of the network, in parentheses
   * @param heldBack the sentence's end on the validation part
   */
  method(config: C, size: string, heldBack: string): { network: string; split: string };

  /** The configuration with as little work beside the losses as it allows: tuning looks at losses alone. */
  lossesOnly(config: C): C;
  load(): Promise<TaskModule<C>>;
}
