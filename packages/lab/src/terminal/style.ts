// Headings and line breaks for the terminal. Colour only where it is wanted: a terminal, and no NO_COLOR.
import { styleText } from "node:util";

/** Columns that prose is wrapped at. */
const COLUMNS = 100;

const colourful = (): boolean => process.stdout.isTTY === true && !process.env.NO_COLOR;

/** A heading: bold in a terminal, as it is elsewhere. */
export const heading = (text: string): string => (colourful() ? styleText("bold", text) : text);

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
