// JSON out of files: parsed with a limit on its size, and with a look at keys that are given twice, which JSON.parse hides.
import { type ByteSource, ModelFileError } from "../files/bytes.js";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is an object with keys. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Parses UTF-8 JSON whose value must be an object. Throws a ModelFileError that names the file. */
export function parseObject(file: string, bytes: Uint8Array): JsonObject {
  let value: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
    rejectTwins(file, text);
  } catch (cause) {
    if (cause instanceof ModelFileError) throw cause;
    throw new ModelFileError(`${file}: its JSON is damaged (${(cause as Error).message.slice(0, 120)})`);
  }
  if (!isObject(value)) throw new ModelFileError(`${file}: its JSON is no object`);
  return value;
}

/** Reads a whole JSON file. Throws a ModelFileError where it is larger than `limit` bytes. */
export async function readJson(source: ByteSource, limit = 16_000_000): Promise<JsonObject> {
  if (source.size > limit)
    throw new ModelFileError(`${source.name} has ${source.size} bytes, more than the ${limit} that are read`);
  return parseObject(source.name, await source.read(0, source.size));
}

/** Throws a ModelFileError where the outermost object of valid JSON has a key twice. */
function rejectTwins(file: string, text: string): void {
  const seen = new Set<string>();
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    else if (character === '"') {
      const start = at;
      for (at++; text[at] !== '"'; at++) if (text[at] === "\\") at++;
      if (depth !== 1) continue;
      let next = at + 1;
      while (/\s/.test(text[next] as string)) next++;
      if (text[next] !== ":") continue;
      const key = JSON.parse(text.slice(start, at + 1)) as string;
      if (seen.has(key)) throw new ModelFileError(`${file}: ${key} is given twice`);
      seen.add(key);
    }
  }
}
