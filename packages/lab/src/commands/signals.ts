// Work that Ctrl-C and SIGTERM end in good order.

/** Does the work; `signal` is the number of the signal that ended it early, or 0. */
export async function untilSignal<T>(
  work: (aborted: AbortSignal) => Promise<T>,
): Promise<{ result: T; signal: number }> {
  const interruption = new AbortController();
  let signal = 0;
  const interrupt = (_: NodeJS.Signals, number: number): void => {
    signal = number;
    interruption.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    return { result: await work(interruption.signal), signal };
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}
