// Helpers for error messages: what was expected, what came, and the nearest name for a misspelt one.
// Text of a caller is shortened before it enters a message, and names are looked up among an object's own keys only.

/** Text of a caller is shown up to this length. */
const shownLength = 80;

/** A text of a caller, for a message. Of a long text it is the beginning. */
export function short(text: string): string {
  return text.length > shownLength ? `${text.slice(0, shownLength)}... (${text.length} characters)` : text;
}

/** Any value of a caller, for a message, in the notation of JSON. A long value is cut to a line. */
export function shown(value: unknown): string {
  if (typeof value === "string") return short(JSON.stringify(value.slice(0, 2 * shownLength)));
  if (typeof value !== "object" || value === null) return short(String(value));
  const budget = { parts: shownLength };
  return short(shownPart(value, budget, 4));
}

function shownPart(value: unknown, budget: { parts: number }, levels: number): string {
  if (typeof value !== "object" || value === null)
    return typeof value === "string" ? shown(value) : String(value);
  if (levels === 0 || budget.parts <= 0) return "...";
  const list = Array.isArray(value);
  const keys = list ? value.slice(0, shownLength).keys() : Object.keys(value).slice(0, shownLength);
  const parts: string[] = [];
  for (const key of keys) {
    if (--budget.parts <= 0) break;
    const part = shownPart((value as Record<string | number, unknown>)[key], budget, levels - 1);
    parts.push(list ? part : `${shown(key)}:${part}`);
  }
  return list ? `[${parts.join(",")}]` : `{${parts.join(",")}}`;
}

/** The value of an own property of an object, never of one that it inherits. Undefined where it has none of that name. */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Joins names for a sentence: "gate, up and beta". */
export function listing(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** No name in the library is longer than this. */
const longestName = 64;

/** " Did you mean swiglu?" for the known name with the fewest edits, or "" where none is near. */
export function suggestion(name: string, known: readonly string[]): string {
  if (name.length > longestName) return "";
  let best = { candidate: "", distance: Number.POSITIVE_INFINITY };
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < best.distance) best = { candidate, distance };
  }
  return best.distance <= Math.max(1, Math.floor(name.length / 3)) ? ` Did you mean ${best.candidate}?` : "";
}

/** Levenshtein's distance: insertions, deletions and replacements between two words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** Throws a TypeError for keys of `given` that are not among `known`. `what` names the argument's kind ("input"). */
export function rejectUnknownKeys(
  given: object,
  known: readonly string[],
  what: string,
  owner: string,
): void {
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const takes = known.length > 0 ? `takes ${listing(known)}` : `takes no ${what}s`;
    throw new TypeError(`unknown ${what} ${short(key)}: ${owner} ${takes}.${suggestion(key, known)}`);
  }
}
