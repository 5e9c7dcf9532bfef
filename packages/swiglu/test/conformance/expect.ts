// Comparisons that a conformance case makes; they throw plain errors, so that a suite can run under any test runner.

function fail(message: string): never {
  throw new Error(message);
}

export function expectTrue(condition: boolean, message: string): void {
  if (!condition) fail(message);
}

/**
 * Checks one float32 result against the exact one: NaN for NaN, infinities of the same sign, else within `bound`.
 * Where the exact result, or one within the bound of it, is too large for float32, infinity is right too.
 */
export function expectClose(got: number, exact: number, bound: number, where: () => string): void {
  const report = (): never => fail(`${where()}: got ${got}, exact ${exact}, bound ${bound}`);
  if (Number.isNaN(exact)) {
    if (!Number.isNaN(got)) report();
  } else if (Number.isFinite(got)) {
    if (!(Math.abs(got - exact) <= bound)) report();
  } else {
    const largest = 3.4028234663852886e38;
    const overflows = Math.abs(exact) === Infinity || Math.abs(exact) + bound >= largest;
    if (Number.isNaN(got) || Math.sign(got) !== Math.sign(exact) || !overflows) report();
  }
}

/** Checks that every element differs from the exact one by at most `share` of the largest exact one. */
export function expectArrayClose(
  got: ArrayLike<number>,
  exact: ArrayLike<number>,
  share: number,
  what: string,
): void {
  expectTrue(got.length === exact.length, `${what} has ${got.length} elements, expected ${exact.length}`);
  const largest = Array.from(exact).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < exact.length; i++) {
    const difference = Math.abs((got[i] as number) - (exact[i] as number));
    if (!(difference <= share * largest))
      fail(`${what}[${i}]: got ${got[i]}, exact ${exact[i]}, largest ${largest}`);
  }
}

/** Checks that a call fails with an error whose message matches, whether it throws at once or rejects. */
export async function expectError(call: () => unknown, message: RegExp): Promise<void> {
  let outcome: unknown;
  try {
    outcome = await call();
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    expectTrue(message.test(said), `error says "${said}", expected ${message}`);
    return;
  }
  fail(`no error, expected ${message}; got ${String(outcome)}`);
}
