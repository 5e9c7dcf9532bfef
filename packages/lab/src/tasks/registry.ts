// All tasks: a new one is a folder beside these and a row here.
import type { SettingsOf } from "./common/config.js";
import type { TaskDefinition } from "./common/definition.js";
import { images } from "./images/definition.js";
import { language } from "./language/definition.js";
import { translation } from "./translation/definition.js";

const rows = {
  images,
  language,
  translation,
};

type Rows = typeof rows;
type ConfigOf<D> = D extends TaskDefinition<infer C> ? C : never;

export type TaskKind = keyof Rows;

/** The part of a configuration that a task makes of its data. */
export type TaskConfig = { readonly [K in TaskKind]: ConfigOf<Rows[K]> }[TaskKind];

/** The part of a task that the user chooses: a configuration without its data. */
export type TaskSettings = { readonly [K in TaskKind]: SettingsOf<ConfigOf<Rows[K]>> }[TaskKind];

/** The definition of each task; it stands under its own name. */
export const tasks: { readonly [K in TaskKind]: TaskDefinition<ConfigOf<Rows[K]>> & { readonly kind: K } } =
  rows;

export const taskKinds = Object.keys(tasks) as TaskKind[];

/** The definition of the task of a configuration, or of settings. */
export const definitionOf = ({ task }: { readonly task: TaskKind }): TaskDefinition<TaskConfig> =>
  tasks[task] as TaskDefinition<TaskConfig>;
