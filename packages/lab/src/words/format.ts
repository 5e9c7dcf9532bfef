// How numbers look, in the terminal and in the report.

/** 0.9612 -> "96.12 %" */
export const percent = (ratio: number): string => `${(100 * ratio).toFixed(2)} %`;

/** +1.234 with a real minus sign, and no sign on a rounded zero. */
export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value < 0 ? "\u2212" : "+"}${text}`;
}

/** "image" -> "Image" */
export const capitalised = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** 12345 -> "12,345" */
export const grouped = (value: number): string => value.toLocaleString("en-US");

/** Seconds as "8 s", "1 min 20 s", "2 h 5 min". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** ["a", "b", "c"] -> "a, b and c" */
export const list = (items: readonly string[]): string => joined(items, "and");

/** ["a", "b", "c"] -> "a, b or c" */
export const either = (items: readonly string[]): string => joined(items, "or");

const joined = (items: readonly string[], last: string): string =>
  items.length < 2 ? (items[0] ?? "") : `${items.slice(0, -1).join(", ")} ${last} ${items.at(-1)}`;

/** 1 -> "1 run", 2 -> "2 runs" */
export const count = (n: number, noun: string): string => `${grouped(n)} ${noun}${n === 1 ? "" : "s"}`;
