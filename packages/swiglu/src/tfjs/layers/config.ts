// What layers write into a model's file: activations, initialisers, regularisers, constraints, and text in a form that survives.
// TensorFlow.js turns every key and string of a configuration to snake_case on saving and to camelCase on loading.
import * as tf from "@tensorflow/tfjs";
import {
  type Activation,
  type ActivationJson,
  activationFromJson,
  activationToJson,
} from "../../catalogue/activation.js";
import { activationByName, activations } from "../../catalogue/catalogue.js";
import { own, shown } from "../../errors.js";

export type Config = tf.serialization.ConfigDict;

/** An activation as a layer takes it: a definition, a name of the catalogue, or what `activationToJson` gives. */
export type ActivationLike = Activation | string | ActivationJson;

/** Reads an activation; throws a RangeError, TypeError or SyntaxError that says what is wrong with it. */
export function readActivation(given: ActivationLike): Activation {
  if (typeof given === "string")
    return given.startsWith("{") ? activationFromJson(readText(given)) : activationByName(given);
  if (typeof given !== "object" || given === null)
    throw new TypeError(
      `activation is ${shown(given)}, expected a name of the catalogue or an activation from defineActivation`,
    );
  return Object.hasOwn(given, "inputs") ? (given as Activation) : activationFromJson(given);
}

/** An activation for a file: its name where the catalogue has it, else its definition. */
export function writeActivation(activation: Activation): string {
  const { name } = activation;
  const listed =
    Object.hasOwn(activations, name) && activations[name as keyof typeof activations] === activation;
  return listed ? name : writeText(activationToJson(activation));
}

/** JSON as text without capitals and underscores, which files do not keep: `^a` is A, `^-` is _, `^^` is ^. */
export function writeText(value: unknown): string {
  return JSON.stringify(value).replace(/[A-Z_^]/g, (c) => `^${c === "_" ? "-" : c.toLowerCase()}`);
}

/** The inverse of `writeText`. Throws a SyntaxError for text that is not JSON. */
export function readText(text: string): unknown {
  return JSON.parse(text.replace(/\^(.)/g, (_, c: string) => (c === "-" ? "_" : c.toUpperCase())));
}

export type Initializer = ReturnType<typeof tf.initializers.ones>;
export type Regularizer = ReturnType<typeof tf.regularizers.l1l2>;
export type Constraint = ReturnType<typeof tf.constraints.nonNeg>;
/** What may be given for an initialiser, regulariser or constraint: itself, its name, or its configuration. */
export type Like<T> = T | string | Config;

/**
 * Reads an initialiser, regulariser or constraint, as the layers of TensorFlow.js do: the object itself, a name such as
 * "heNormal", or `{ className, config }`. Throws a TypeError for a name that is not registered.
 */
export function readObject<T extends tf.serialization.Serializable>(given: Like<T>, what: string): T {
  if (given instanceof tf.serialization.Serializable) return given as T;
  const named = typeof given === "string" ? { className: given, config: {} } : given;
  const { className, config } = named as { readonly className?: unknown; readonly config?: Config };
  const [first = "", ...rest] = String(className);
  const names = [String(className), first.toUpperCase() + rest.join(""), String(className).toUpperCase()];
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  const found = names.map((name) => own(classNameMap, name)).find((entry) => entry !== undefined);
  if (found === undefined)
    throw new TypeError(
      `${what} is ${shown(given)}: expected an object such as tf.initializers.heNormal({}), or its name`,
    );
  const [cls, fromConfig] = found;
  return fromConfig(cls, config ?? {}) as T;
}

/** The same for a file; null for none. */
export function writeObject(object: tf.serialization.Serializable | undefined): Config | null {
  return object === undefined ? null : { className: object.getClassName(), config: object.getConfig() };
}
