// Pairs of a text and its translation: from a TSV file, or the messages of the TypeScript compiler in thirteen languages.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UserError } from "../system/errors.js";
import { count } from "../words/format.js";
import { readText } from "./text.js";

const require = createRequire(import.meta.url);

export interface Pair {
  readonly source: string;
  readonly target: string;
  /** The language of the target; "" where a file does not say. */
  readonly language: string;
}

/** Fewer pairs than this cannot be divided and learned from. */
const FEWEST = 36;

/**
 * Reads lines of `source TAB target`, or `source TAB target TAB language`.
 *
 * @throws UserError naming the line that lacks a side or has more columns than the first
 */
export function readPairs(file: string): Pair[] {
  const pairs: Pair[] = [];
  let columns = 0;
  for (const [i, line] of readText(file).split("\n").entries()) {
    if (line.trim() === "") continue;
    const cells = line.split("\t").map((cell) => cell.trim());
    const [source = "", target = "", language = ""] = cells;
    const where = `${file}, line ${i + 1}`;
    if (source === "" || target === "") {
      throw new UserError(
        `${where} lacks its ${source === "" ? "source" : "target"}: each line is a source, a tab and a target.`,
      );
    }
    columns ||= cells.length;
    if (cells.length !== columns || columns > 3) {
      throw new UserError(
        `${where} has ${cells.length} columns, expected ${columns > 3 ? "2 or 3" : columns}: a source, a target and, if on every line, a language.`,
      );
    }
    pairs.push({ source, target, language });
  }
  if (pairs.length < FEWEST) {
    throw new UserError(
      `${file} has ${count(pairs.length, "pair")}: at least ${FEWEST} are needed for three parts.`,
    );
  }
  return pairs;
}

/** The compiler's messages, from npm `typescript` 5.9.3: English with each translation. */
export function compilerMessages(): Pair[] {
  const english = messagesIn(require("typescript-messages"));
  const folder = dirname(require.resolve("typescript-messages"));
  const languages = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  return languages.flatMap((language) => {
    const file = join(folder, language, "diagnosticMessages.generated.json");
    const translations = new Map(Object.entries(JSON.parse(readFileSync(file, "utf8"))));
    return english.flatMap(({ key, message }): Pair[] => {
      const target = translations.get(key);
      return typeof target !== "string" ? [] : [{ source: message, target, language }];
    });
  });
}

interface Message {
  readonly key: string;
  readonly message: string;
}

/** The English messages, which the compiler exports without declaring them. */
function messagesIn(compiler: unknown): Message[] {
  const isMessage = (value: unknown): value is Message =>
    typeof value === "object" &&
    value !== null &&
    "key" in value &&
    "message" in value &&
    typeof value.key === "string" &&
    typeof value.message === "string";
  if (typeof compiler !== "object" || compiler === null || !("Diagnostics" in compiler)) return [];
  return Object.values(compiler.Diagnostics ?? {}).filter(isMessage);
}
