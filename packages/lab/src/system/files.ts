// Reading files that others wrote, in one place: what is wrong with one is a sentence that names it, never what the system
// or a parser says.
import { readFileSync } from "node:fs";
import { codeOf, messageOf, UserError } from "./errors.js";

/**
 * A file's bytes.
 *
 * @param name what the error calls it: "--activation mine.json"
 * @throws UserError where it cannot be read
 */
export function readBytes(file: string, name = file): Buffer {
  try {
    return readFileSync(file);
  } catch (thrown) {
    throw new UserError(`${name} could not be read: ${messageOf(thrown)}.`);
  }
}

/** A file's bytes; undefined where it is not there. Throws a UserError where it cannot be read. */
export function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return undefined;
    throw new UserError(`${file} cannot be read: ${messageOf(thrown)}.`);
  }
}

/** What JSON holds, with or without a byte order mark; undefined, which JSON cannot hold, for what is none. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)); // which drops the mark
  } catch {
    return undefined;
  }
}
