// Headings and line breaks for the terminal.
import { bold } from "./output.js";

/** Columns that prose is wrapped at. */
const COLUMNS = 100;

/** A heading: bold in a terminal, as it is elsewhere. */
export const heading = bold;

/** Breaks prose into lines of at most 100 columns. */
export function wrap(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > COLUMNS) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}
