// The command line of a measurement: its help, and one sentence for what does not fit.
import { Command, InvalidArgumentError, Option } from "commander";
import { type Case, caseName } from "./peers/cases.js";

/** A command that knows --help, to which a measurement adds its options. `script` is its name in package.json. */
export const measurement = (script: string, description: string): Command =>
  new Command(`npm run ${script} -w bench --`)
    .description(description)
    .allowExcessArguments(false)
    .showHelpAfterError("(--help says what there is)");

/** Reads the value of an option that counts something. */
export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number from 1.");
}

/** Which cases to measure. */
export const onlyOption = (example: string): Option =>
  new Option("--only <text>", `the cases whose name contains this, such as ${example}`).default("", "all");

/** The cases whose name contains a text; says what there is, and ends, where none does. */
export function casesNamed(all: readonly Case[], text: string, command: Command): Case[] {
  const named = all.filter((task) => caseName(task).includes(text));
  if (named.length > 0) return named;
  return command.error(
    `error: --only is ${JSON.stringify(text)}, which is in no case's name; there are ${all.map(caseName).join(", ")}`,
  );
}
