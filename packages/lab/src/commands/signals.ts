// Work that Ctrl-C and SIGTERM end in good order, and so does an output that cannot be written any more.
import { outputLost, setWorking } from "../terminal/output.js";

/** Does the work; `code` is the exit code that follows from what ended it early: 128 + a signal's number; or 0. */
export async function untilInterrupted<T>(
  work: (aborted: AbortSignal) => Promise<T>,
): Promise<{ result: T; code: number }> {
  const interruption = new AbortController();
  let code = 0;
  const interrupt = (_: NodeJS.Signals, number: number): void => {
    code = 128 + number;
    interruption.abort();
  };
  const giveUp = (): void => {
    code = outputLost.reason;
    interruption.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  outputLost.addEventListener("abort", giveUp);
  if (outputLost.aborted) giveUp();
  setWorking(true);
  try {
    return { result: await work(interruption.signal), code };
  } finally {
    setWorking(false);
    outputLost.removeEventListener("abort", giveUp);
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}
