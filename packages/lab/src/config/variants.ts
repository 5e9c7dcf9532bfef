// A variant: an activation with its parameters fixed at their defaults, or (suffix "-trained") trained with the weights.
import { type Activation, activationFromJson, activations } from "swiglu";
import type { Variant } from "../model/index.js";
import { messageOf, UserError } from "../system/errors.js";
import { parseJson, readBytes } from "../system/files.js";
import { nearestNames } from "./nearest.js";

const TRAINED = "-trained";

/** What `compare` trains when no variants are named. */
export const defaultVariants: readonly string[] = [
  "relu",
  "sigmoid",
  "tanh",
  "gelu",
  "swish",
  "swish-trained",
  "glu",
  "geglu",
  "reglu",
  "swiglu",
  "swiglu-trained",
  "selfGlu",
  "swigluBlend-trained",
];

/** What `probe` looks at when no variants are named: the evidence's, and the article's blend. */
export const probeVariants: readonly string[] = [
  "relu",
  "gelu",
  "swish",
  "glu",
  "geglu",
  "swiglu",
  "swigluBlend",
];

/** The catalogue and the user's own activations, by name. */
export type Activations = ReadonlyMap<string, Activation>;

/** An activation of the user's own: a JSON file that defines it, or what --formula defined. */
export type OwnActivation = string | Activation;

/** The catalogue together with the user's own activations. Throws a UserError for a file that defines none, or a taken name. */
export function allActivations(own: readonly OwnActivation[]): Activations {
  const all = new Map<string, Activation>(Object.entries(activations));
  for (const given of own) {
    const activation = typeof given === "string" ? readActivation(given) : given;
    if (all.has(activation.name)) {
      throw new UserError(
        `${typeof given === "string" ? given : "--formula"} defines ${activation.name}, a name that is taken: give it another name.`,
      );
    }
    all.set(activation.name, activation);
  }
  return all;
}

/** The activation of a name. Throws a UserError with the nearest names when there is none. */
export function findActivation(name: string, all: Activations): Activation {
  const activation = all.get(name);
  if (activation !== undefined) return activation;
  const near = nearestNames(name, all.keys());
  const hint = near.length > 0 ? `did you mean ${near.join(" or ")}?` : "see them all with: swiglu-lab list";
  throw new UserError(`there is no activation ${JSON.stringify(shortened(name))}: ${hint}`);
}

/**
 * The variants of a list of names, in that order.
 *
 * @param names activation names, or with the suffix `-trained` to train the activation's parameters, one value per layer
 * @throws UserError for an unknown or repeated name, and for `-trained` where there is nothing to train
 */
export function resolveVariants(names: readonly string[], all: Activations): Variant[] {
  if (names.length === 0)
    throw new UserError("--variants names no variant: name at least one, as in --variants relu,swiglu");
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) throw new UserError(`--variants names ${repeated} twice: name it once.`);
  return names.map((name) => {
    const trained = name.endsWith(TRAINED) && !all.has(name);
    const activation = findActivation(trained ? name.slice(0, -TRAINED.length) : name, all);
    if (trained && Object.keys(activation.parameters).length === 0) {
      throw new UserError(`${name}: ${activation.name} has no parameters to train; use ${activation.name}.`);
    }
    return { name, activation, trained };
  });
}

/** The beginning of a name that is too long to be one. */
const shortened = (name: string): string =>
  name.length <= 100 ? name : `${name.slice(0, 100)}... (${name.length} characters)`;

function readActivation(file: string): Activation {
  const json = parseJson(readBytes(file, `--activation ${file}`));
  if (json === undefined)
    throw new UserError(`--activation ${file} is not a valid definition: it is not JSON in UTF-8.`);
  try {
    return activationFromJson(json);
  } catch (thrown) {
    throw new UserError(`--activation ${file} is not a valid definition: ${messageOf(thrown)}`);
  }
}
