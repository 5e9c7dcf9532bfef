// What a study consists of: a cell for each width and length, with its steps, and which lengths are tuned.
import { UserError } from "../system/errors.js";

/** Reads --lengths, --tune-lengths or --sizes: different numbers above 0, in rising order. Throws a UserError for anything else. */
export function parseRising(text: string, option: string, example: string): number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const isValid = (value: number): boolean => value > 0 && Number.isFinite(value);
  if (!values.every(isValid) || new Set(values).size < values.length) {
    throw new UserError(
      `${option} is ${JSON.stringify(text)}: expected different numbers above 0, as in ${option} ${example}`,
    );
  }
  return values.sort((a, b) => a - b);
}

/**
 * The length that verdicts are given at: the second-longest, because the longest has nothing longer to be read off from.
 *
 * @param lengths in rising order
 */
export const verdictLength = (lengths: readonly number[]): number => lengths.at(-2) ?? lengths[0]!;

/** The tuned length whose rates a length takes: the nearest in proportion, the longer one of two. */
export function tunedFor(length: number, tuned: readonly number[]): number {
  const distance = (each: number): number => Math.abs(Math.log(each / length));
  return tuned.reduce((best, each) => (distance(each) <= distance(best) + 1e-9 ? each : best));
}

/**
 * The steps of a length at a width: passes over the training part, scaled so that every width has as many tokens per parameter.
 *
 * @param examples of the training part
 * @param scale parameters at this width over those at the base width
 */
export const stepsOf = (length: number, examples: number, batch: number, scale: number): number =>
  Math.max(1, Math.round((length * scale * examples) / batch));
