// The part of a screen that is drawn again and again while runs are trained. Its library takes a while to load, so that it is
// not beside all other output.
import { createLogUpdate } from "log-update";
import { harmless, harmlessLine } from "./output.js";

/** Lines at the end of a terminal that are drawn again and again. */
export interface Panel {
  readonly size: { readonly rows?: number; readonly columns?: number };
  draw(text: string): void;
  /** Prints a line above it. */
  persist(line: string): void;
  end(): void;
}

/** A panel on a screen; undefined in a pipe, a file or CI. */
export function openPanel(): Panel | undefined {
  const { stdout } = process;
  if (!(stdout.isTTY && stdout.columns > 0) || process.env.CI) return undefined;
  const update = createLogUpdate(stdout);
  return {
    size: stdout,
    draw: (text) => update(harmless(text)),
    persist: (line) => update.persist(harmlessLine(line)),
    end: () => {
      update.clear();
      update.done();
    },
  };
}
