// Reading text: a file, or all .txt and .md files of a folder, as documents. Strict UTF-8, so that no binary file trains
// without complaint.
import { constants } from "node:buffer";
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { messageOf, UserError } from "../system/errors.js";
import { readBytes } from "../system/files.js";
import { grouped } from "../words/format.js";

export interface TextDocument {
  readonly name: string;
  readonly text: string;
}

/** Fewer documents than this are cut into pieces, so that each part of the data gets some. */
const MANY = 24;

/** The most bytes of a file: as many characters as a text of JavaScript has. */
const LONGEST = constants.MAX_STRING_LENGTH;

/**
 * The documents at a path: one for every file. Where they are few, the files are cut at line ends into pieces.
 *
 * @throws UserError for a path that is not there, a folder without text, and a file that is empty or binary
 */
export function readDocuments(path: string): TextDocument[] {
  const files = textFiles(path);
  const documents = files.map((file) => ({ name: relative(path, file) || path, text: readText(file) }));
  if (documents.length >= MANY) return documents;
  const characters = documents.reduce((sum, { text }) => sum + text.length, 0);
  return documents.flatMap(({ name, text }) =>
    pieces(text, Math.ceil((characters + 1) / (2 * MANY))).map((piece, i) => ({
      name: `${name}, piece ${i + 1}`,
      text: piece,
    })),
  );
}

/** A file as text with plain line ends. Throws a UserError where it is empty, binary or cannot be read. */
export function readText(file: string): string {
  refuseLong(file);
  const bytes = readBytes(file);
  const zero = bytes.indexOf(0);
  if (zero >= 0)
    throw new UserError(`${file} is not text: byte ${zero} is zero. --data takes plain text in UTF-8.`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${file} is not text in UTF-8: convert it, for instance with iconv.`);
  }
  if (text.trim() === "") throw new UserError(`${file} is empty: --data takes a file or folder with text.`);
  return text.replaceAll("\r\n", "\n");
}

/** Longer texts than JavaScript has are told by their size, before anything is read of them. */
function refuseLong(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= LONGEST) return;
  throw new UserError(
    `${file} has ${grouped(size)} bytes: a text can have at most ${grouped(LONGEST)} here. Split it at line ends into ` +
      "smaller files, for instance with split -C 100M --additional-suffix=.txt, and name their folder with --data; of pairs, give fewer.",
  );
}

/** SHA-256 of texts and the borders between them. */
export function hashOf(texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}\n`).update(text);
  return hash.digest("hex");
}

function textFiles(path: string): string[] {
  let files: string[];
  try {
    if (!statSync(path).isDirectory()) return [path];
    files = readdirSync(path, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(txt|md)$/i.test(name))
      .map((name) => join(path, name))
      .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile()) // not a link to nothing
      .sort();
  } catch (thrown) {
    throw new UserError(`--data ${path} could not be read: ${messageOf(thrown)}.`);
  }
  if (files.length === 0)
    throw new UserError(`--data ${path} holds no .txt or .md file: name a file or a folder with text.`);
  return files;
}

/** Whether a place is between the two halves of a character, such as an emoji. */
const isInsideCharacter = (text: string, at: number): boolean => text.codePointAt(at - 1)! > 0xffff;

/** Cuts a text at the line end, or else the space, that follows every `length` characters. */
function pieces(text: string, length: number): string[] {
  const found: string[] = [];
  for (let start = 0; start < text.length; ) {
    const wanted = start + length;
    const end = [text.indexOf("\n", wanted), text.indexOf(" ", wanted)]
      .map((at) => at + 1)
      .find((at) => at > 0 && at < wanted + length);
    const stop =
      wanted >= text.length ? text.length : (end ?? wanted + (isInsideCharacter(text, wanted) ? 1 : 0));
    found.push(text.slice(start, stop));
    start = stop;
  }
  return found.filter((piece) => piece.trim() !== "");
}
