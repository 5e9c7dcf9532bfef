// The parameters of an activation in a layer: fixed numbers, fixed values for each channel, or trainable weights.
import type { Activation } from "../../catalogue/activation.js";
import { isParameterNumber, limitsOf } from "../../catalogue/limits.js";
import { own, rejectUnknownKeys, short, shown } from "../../errors.js";
import {
  type Constraint,
  type Initializer,
  type Like,
  type Regularizer,
  readObject,
  readText,
  writeObject,
  writeText,
} from "./config.js";

/** One parameter of an activation. A number or an array alone is a fixed value. */
export interface ParameterOptions {
  /** The fixed value, or where training starts: one number, or one for each channel. Default: the activation's own. */
  readonly value?: number | readonly number[];
  /** false (default): fixed. true or "per-layer": one trainable value. "per-channel": one for each channel. */
  readonly trainable?: boolean | "per-layer" | "per-channel";
  /** Where training starts, instead of `value`. */
  readonly initializer?: Like<Initializer> | null;
  readonly regularizer?: Like<Regularizer> | null;
  readonly constraint?: Like<Constraint> | null;
}
export type ParameterLike = number | readonly number[] | ParameterOptions;

/** A parameter whose options are all settled; only its number of channels is still open. */
export interface ParameterSetting {
  readonly value: number | readonly number[];
  readonly trainable: false | "per-layer" | "per-channel";
  readonly initializer: Initializer | undefined;
  readonly regularizer: Regularizer | undefined;
  readonly constraint: Constraint | undefined;
}
export type ParameterSettings = Readonly<Record<string, ParameterSetting>>;

const modes: readonly unknown[] = [undefined, false, true, "per-layer", "per-channel"];

/** Reads and completes a layer's `parameters`, and checks all but the number of channels. A text comes from a file. */
export function readParameters(
  activation: Activation,
  given: Readonly<Record<string, ParameterLike | undefined>> | string = {},
): ParameterSettings {
  const all = (typeof given === "string" ? readText(given) : given) as Readonly<
    Record<string, ParameterLike | undefined>
  >;
  rejectUnknownKeys(all, Object.keys(activation.parameters), "parameter", activation.name);
  return Object.fromEntries(
    Object.entries(activation.parameters).map(([name, fallback]) => [
      name,
      readParameter(activation, name, own(all, name) ?? {}, fallback),
    ]),
  );
}

function readParameter(
  activation: Activation,
  name: string,
  given: ParameterLike,
  fallback: number,
): ParameterSetting {
  const options: ParameterOptions =
    typeof given === "number" || Array.isArray(given)
      ? { value: given as number | readonly number[] }
      : (given as ParameterOptions);
  rejectUnknownKeys(
    options,
    ["value", "trainable", "initializer", "regularizer", "constraint"],
    "option",
    `parameter ${name}`,
  );
  const { value: written = fallback, trainable = false } = options;
  const value = Array.isArray(written) ? written.map(fromFile) : fromFile(written);
  for (const each of Array.isArray(value) ? value : [value])
    if (!isParameterNumber(activation, name, each))
      throw new TypeError(
        `parameter ${name} has the value ${short(String(each))}, expected ${
          limitsOf(activation).has(name) ? "finite numbers, or Infinity for no limit" : "finite numbers"
        }`,
      );
  if (!modes.includes(trainable))
    throw new TypeError(
      `parameter ${name}: trainable is ${shown(trainable)}, expected false, true, "per-layer" or "per-channel"`,
    );
  const mode = trainable === true ? "per-layer" : trainable;
  if (mode === "per-layer" && typeof value !== "number")
    throw new TypeError(
      `parameter ${name} has ${value.length} values and one trainable value for the layer: pass one number, or trainable: "per-channel"`,
    );
  const part = <T extends Initializer | Regularizer | Constraint>(
    key: keyof ParameterOptions,
  ): T | undefined => {
    const like = own(options as Readonly<Record<string, unknown>>, key) as Like<T> | null | undefined;
    return like == null ? undefined : readObject<T>(like, `parameter ${name}: ${key}`);
  };
  const loose = (["initializer", "regularizer", "constraint"] as const).find((key) => options[key] != null);
  if (mode === false && loose !== undefined)
    throw new TypeError(
      `parameter ${name} has ${/^i/.test(loose) ? "an" : "a"} ${loose}, but is fixed: make it trainable`,
    );
  return {
    value,
    trainable: mode,
    initializer: part<Initializer>("initializer"),
    regularizer: part<Regularizer>("regularizer"),
    constraint: part<Constraint>("constraint"),
  };
}

/** JSON has no infinity. */
const forFile = (value: number): number | string => (value === Infinity ? "Infinity" : value);
const fromFile = (value: unknown): number => (value === "Infinity" ? Infinity : value) as number;

/** The same for a file. */
export function writeParameters(settings: ParameterSettings): string {
  return writeText(
    Object.fromEntries(
      Object.entries(settings).map(([name, { value, trainable, ...parts }]) => [
        name,
        {
          value: typeof value === "number" ? forFile(value) : value.map(forFile),
          trainable,
          initializer: writeObject(parts.initializer),
          regularizer: writeObject(parts.regularizer),
          constraint: writeObject(parts.constraint),
        },
      ]),
    ),
  );
}

/** The shape of the weight that a parameter needs; none where it is one fixed number. Throws where channels do not fit. */
export function parameterShape(
  name: string,
  { value, trainable }: ParameterSetting,
  channels: number | null,
): [number] | undefined {
  if (typeof value === "number" && trainable !== "per-channel") return trainable ? [1] : undefined;
  if (channels === null)
    throw new RangeError(`parameter ${name} is per channel, but the size of the last axis is not known`);
  if (typeof value !== "number" && value.length !== channels)
    throw new RangeError(
      `parameter ${name} has ${value.length} values, expected ${channels}: one for each channel of the last axis`,
    );
  return [channels];
}
