// From the name of a task to its data, and from those to what a model learns.
import type { TaskData, TaskModule } from "./common/definition.js";
import type { Task } from "./common/task.js";
import { definitionOf, type TaskConfig, type TaskKind, type TaskSettings } from "./registry.js";

/** A task whose configuration is one of those of the registry. */
export type LoadedTask = Task<TaskConfig>;

/** What reads a task's data and makes the task of them. */
export const loadModule = (task: TaskKind): Promise<TaskModule<TaskConfig>> => definitionOf({ task }).load();

/**
 * Reads the data of a task, and prepares the task.
 *
 * @param settings what was chosen; a configuration will do
 * @param path a file or folder; the data that comes with the lab when left out
 * @param lowers whether a vocabulary that the data do not allow becomes the largest that they allow
 * @throws UserError for data that cannot be read or used, and for settings that do not fit them
 */
export async function loadTask(settings: TaskSettings, path?: string, lowers = false): Promise<LoadedTask> {
  const { read, make } = await loadModule(settings.task);
  const data: TaskData = read(path);
  return make(settings, data, lowers);
}
