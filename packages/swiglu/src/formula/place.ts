// Errors in a formula's text: a sentence with the column, and below it the text with a caret under the place.
// What is shown of the text is one line of ordinary characters, whatever the text holds.

/** How much of a long text is shown on either side of the place. */
const around = 36;

/** A character that would not take one column of its own, or would change the terminal: control, format, combining, spaces. */
const unprintable = /[\p{C}\p{M}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/** The error for a place in a text. `problem` is a sentence without its end: "expected ..., got ...". */
export function mistake(source: string, at: number, problem: string): SyntaxError {
  const start = Math.max(0, at - around);
  const before = shownPart(source.slice(start, at));
  const after = shownPart(source.slice(at, at + around));
  const left = start > 0 ? "... " : "";
  const right = at + around < source.length ? " ..." : "";
  return new SyntaxError(
    `formula, column ${at + 1}: ${problem}\n  ${left}${before}${after}${right}\n  ${" ".repeat(left.length + before.length)}^`,
  );
}

/** One column for each character, so that the caret stands under the right one. */
const shownPart = (part: string): string =>
  Array.from(part.replace(unprintable, "\u{fffd}"), (character) =>
    character.length > 1 ? "\u{fffd}" : character,
  ).join("");
