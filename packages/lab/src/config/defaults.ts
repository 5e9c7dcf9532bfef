// What `compare` does where nothing is said: the defaults of each task, and the options that belong to it.
import { UserError } from "../system/errors.js";
import type { Training } from "../tasks/common/config.js";
import { definitionOf, type TaskKind, type TaskSettings, taskKinds, tasks } from "../tasks/registry.js";

type NamesOf<T> = T extends unknown ? Exclude<keyof T, "task"> : never;
type OptionName = keyof Training | NamesOf<TaskSettings>;

/** The options of one task or of several. */
export type TaskOptions = { readonly [name in OptionName]?: number };

/**
 * The settings of a task and its training: what was given, and the defaults for the rest.
 *
 * @param given may have other properties: they are left alone
 * @throws UserError for an option of another task
 */
export function complete(task: TaskKind, given: TaskOptions): Training & TaskSettings {
  const chosen = Object.entries(given).filter(([name, value]) => value !== undefined && isTaskOption(name));
  for (const [name] of chosen) {
    if (hasOption(task, name)) continue;
    const others = taskKinds.filter((other) => hasOption(other, name));
    throw new UserError(
      `--${name} is not an option of --task ${task}, but of --task ${others.join(" and ")}.`,
    );
  }
  const { defaults } = definitionOf({ task });
  return { task, ...defaults, ...Object.fromEntries(chosen) } as Training & TaskSettings;
}

const hasOption = (task: TaskKind, name: string): boolean => Object.hasOwn(tasks[task].defaults, name);

/** Whether some task has an option of this name. */
const isTaskOption = (name: string): boolean => taskKinds.some((task) => hasOption(task, name));
