// The highest learning rate of every variant: one for all, and exceptions. As an option, `0.004,swiglu=0.008`.
import { UserError } from "../system/errors.js";

/** The rate of all variants but those that `of` names. */
export interface LearningRates {
  readonly rate: number;
  readonly of: Readonly<Record<string, number>>;
}

/** Where none is given, for every task. */
export const DEFAULT_LEARNING_RATE = 0.01;

/**
 * Reads `--learning-rate`: a rate for all variants, exceptions by name, or both, separated by commas.
 *
 * @throws UserError for what is no rate above 0, and two rates for the same variants
 * @example parseLearningRates("0.004,swiglu=0.008") // { rate: 0.004, of: { swiglu: 0.008 } }
 */
export function parseLearningRates(text: string): LearningRates {
  const rates = new Map<string, number>();
  for (const part of text.split(",")) {
    const [name = "", value] = part.includes("=") ? part.split("=").map((side) => side.trim()) : ["", part];
    if (rates.has(name)) {
      throw new UserError(
        `--learning-rate gives ${name === "" ? "all variants" : name} two rates: give each one.`,
      );
    }
    rates.set(name, parseRate(value ?? "", "--learning-rate", "0.004, or 0.004,swiglu=0.008"));
  }
  const rate = rates.get("") ?? DEFAULT_LEARNING_RATE;
  rates.delete("");
  return { rate, of: Object.fromEntries(rates) };
}

/** A rate above 0; `example` ends the sentence about one that is none. */
function parseRate(text: string, option: string, example: string): number {
  const rate = Number(text);
  if (text.trim() === "" || !(rate > 0 && rate < Number.POSITIVE_INFINITY)) {
    throw new UserError(
      `${option} has ${JSON.stringify(text)}: expected a number above 0, as in ${example}.`,
    );
  }
  return rate;
}

/**
 * The rate of each of the variants.
 *
 * @throws UserError where an exception is of none of them
 */
export function ratesOf({ rate, of }: LearningRates, names: readonly string[]): number[] {
  const stranger = Object.keys(of).find((name) => !names.includes(name));
  if (stranger !== undefined) {
    throw new UserError(
      `--learning-rate names ${stranger}, which is not compared: the variants are ${names.join(", ")}.`,
    );
  }
  return names.map((name) => (Object.hasOwn(of, name) ? of[name]! : rate));
}

/** "0.01", or where variants differ "0.002 (relu, gelu), 0.004 (swiglu)". */
export function describeRates(
  variants: readonly { readonly name: string; readonly learningRate: number }[],
): string {
  const rates = [...new Set(variants.map(({ learningRate }) => learningRate))].sort((a, b) => a - b);
  if (rates.length === 1) return `${rates[0]}`;
  const named = (rate: number): string =>
    variants
      .filter(({ learningRate }) => learningRate === rate)
      .map(({ name }) => name)
      .join(", ");
  return rates.map((rate) => `${rate} (${named(rate)})`).join(", ");
}

/**
 * Reads `--tune`: rates in rising order, at least two, none twice.
 *
 * @throws UserError for anything else
 */
export function parseGrid(text: string): number[] {
  const example = "0.002,0.004,0.008";
  const rates = text.split(",").map((part) => parseRate(part, "--tune", example));
  if (rates.length < 2 || new Set(rates).size < rates.length) {
    throw new UserError(
      `--tune is ${JSON.stringify(text)}: expected at least two different rates, as in ${example}.`,
    );
  }
  return rates.sort((a, b) => a - b);
}
