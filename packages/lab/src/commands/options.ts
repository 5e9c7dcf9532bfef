// Reads the values of command-line options; what does not fit gets a sentence from commander that names the option.
import { InvalidArgumentError } from "commander";

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError("Expected a whole number from 1.");
  }
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < Number.POSITIVE_INFINITY)) {
    throw new InvalidArgumentError("Expected a number above 0, such as 0.002.");
  }
  return value;
}

/** "relu, swiglu" -> ["relu", "swiglu"] */
export const nameList = (text: string): string[] =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

/** Collects the values of an option that may be given several times. */
export const collect = (text: string, before: readonly string[] = []): string[] => [...before, text];
