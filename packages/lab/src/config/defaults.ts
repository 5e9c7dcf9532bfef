// What `compare` does where nothing is said: sizes at which a run of each task takes seconds to tens of seconds.
import { UserError } from "../errors.js";
import type { Hyperparameters } from "./config.js";
import type { TaskKind, TaskSettings } from "./task.js";

type Training = Omit<Hyperparameters, "threads">;
type OwnOptions<T> = T extends unknown ? Omit<T, "task"> : never;
type OptionsOf<K extends TaskKind> = Training & OwnOptions<Extract<TaskSettings, { task: K }>>;

/** The defaults of each task; an option that is not here does not belong to the task. */
export const defaults: { readonly [K in TaskKind]: OptionsOf<K> } = {
  images: { steps: 500, batch: 128, width: 32, depth: 2, heads: 4, patch: 7 },
  language: {
    steps: 400,
    batch: 16,
    width: 64,
    depth: 2,
    heads: 4,
    vocabulary: 1024,
    context: 64,
  },
  translation: {
    steps: 600,
    batch: 16,
    width: 64,
    depth: 2,
    heads: 4,
    vocabulary: 2048,
    context: 128,
    beam: 1,
    translated: 100,
  },
};

/** The options of one task or of several. */
export type TaskOptions = Partial<OptionsOf<"images"> & OptionsOf<"language"> & OptionsOf<"translation">>;

/**
 * The settings of a task and its training: what was given, and the defaults for the rest.
 *
 * @param given may have other properties: they are left alone
 * @throws UserError for an option of another task
 */
export function complete(task: TaskKind, given: TaskOptions): Training & TaskSettings {
  const chosen = Object.entries(given).filter(([name, value]) => value !== undefined && isTaskOption(name));
  for (const [name] of chosen) {
    if (Object.hasOwn(defaults[task], name)) continue;
    const others = Object.entries(defaults).filter(([, options]) => Object.hasOwn(options, name));
    throw new UserError(
      `--${name} is not an option of --task ${task}, but of --task ${others.map(([other]) => other).join(" and ")}.`,
    );
  }
  const own = Object.fromEntries(chosen);
  switch (task) {
    case "images":
      return { task, ...defaults.images, ...own };
    case "language":
      return { task, ...defaults.language, ...own };
    case "translation":
      return { task, ...defaults.translation, ...own };
  }
}

/** Whether some task has an option of this name. */
const isTaskOption = (name: string): boolean =>
  Object.values(defaults).some((options) => Object.hasOwn(options, name));
