// The one way to the terminal: all that the lab prints goes through here (and `panel`, for what is drawn again), so that no
// text of others (names of files, languages and activations, messages of other machines) can steer the terminal, and no
// output is lost without a word.
import { inspect, styleText } from "node:util";
import { codeOf, messageOf } from "../system/errors.js";

/** A line or message longer than this is cut: what made it so long is no use in a terminal. */
const LONGEST_LINE = 4000;

/**
 * Control characters but for line ends and tabs, what turns the direction of writing, and invisible line ends. A pair of
 * `bold` is our own.
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /\u001b\[(?:1|22)m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Text that cannot steer a terminal: every character that could is written as \u001b. */
export const harmless = (text: string): string =>
  text.replace(UNSAFE, (found) => (found.length > 1 && isColourful() ? found : written(found)));

/** The same on one line: a line end is written, so that no text can pass for a line of ours. */
export const harmlessLine = (text: string): string => harmless(text).replace(/\n/g, "\\n");

const written = ([first = "", ...others]: string): string =>
  `\\u${first.charCodeAt(0).toString(16).padStart(4, "0")}${others.join("")}`;

/** Colour only where it is wanted: a terminal, and no NO_COLOR. */
const isColourful = (): boolean => process.stdout.isTTY === true && !process.env.NO_COLOR;

export const bold = (text: string): string => (isColourful() ? styleText("bold", text) : text);

const lost = new AbortController();

/** Aborts when nothing that is printed arrives any more; the reason is the exit code that follows from it. */
export const outputLost: AbortSignal = lost.signal;

/** 128 + SIGPIPE: what a shell says of a program whose reader is gone. */
const PIPE_CLOSED = 141;

/** Whether there is work that ends because nobody sees what comes of it. */
let isWorking = false;

/** Says that work begins or ends which is given up when the output is lost. */
export function setWorking(working: boolean): void {
  isWorking = working;
}

function lose(error: Error): void {
  if (lost.signal.aborted) return;
  const isClosed = codeOf(error) === "EPIPE";
  lost.abort(isClosed ? PIPE_CLOSED : 1);
  // The reader of a list, head for instance, has simply seen enough.
  if (isClosed && !isWorking) return;
  const reason = isClosed ? "nobody reads it any more" : messageOf(error);
  const outcome = isWorking
    ? "what was in hand is given up, what is recorded is kept; start again with the same options to do the rest"
    : "what was to be printed is not whole";
  complain(`the output cannot be written, for ${reason}: ${outcome}.`);
  if (!isClosed) process.on("exit", () => (process.exitCode = 1)); // whatever the command makes of it
}

/** Sees to what happens when the output or the place for errors is full or closed. For the command line, once. */
export function watchOutput(): void {
  process.stdout.on("error", lose);
  process.stderr.on("error", () => {}); // there is nowhere left to say so
}

/** Prints text as it is: for commander, which ends its lines itself. */
export function write(text: string): void {
  if (!lost.signal.aborted) process.stdout.write(harmless(text));
}

/** Prints lines. */
export const print = (text: string): void => write(`${text}\n`);

/** Prints one line. */
export const printLine = (text: string): void => print(harmlessLine(cut(text)));

/** Prints text as it is to where errors go. */
export const writeError = (text: string): void => void process.stderr.write(harmless(text));

/** Says what went wrong, on one line. */
export function complain(message: string): void {
  writeError(`error: ${harmlessLine(cut(message))}\n`);
}

function cut(line: string): string {
  const rest = line.length - LONGEST_LINE;
  return rest > 0 ? `${line.slice(0, LONGEST_LINE)}... (${rest} more characters)` : line;
}

/** Shows a defect of the program, with its stack. */
export const showDefect = (thrown: unknown): void => writeError(`${inspect(thrown)}\n`);
